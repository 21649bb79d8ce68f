package api

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"html/template"
	"mime"
	"strconv"
	"strings"

	"github.com/chatwatch/chatwatch/domain/access"
)

// Forms of a transcript beside JSON.
const (
	mediaJSON = "application/json"
	mediaText = "text/plain"
	mediaCSV  = "text/csv"
	mediaHTML = "text/html"
)

// negotiate picks the form that an Accept header likes best; JSON when it likes none.
func negotiate(accept string) string {
	best, quality := mediaJSON, 0.0
	for part := range strings.SplitSeq(accept, ",") {
		media, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		q := 1.0
		if text, ok := params["q"]; ok {
			if q, err = strconv.ParseFloat(text, 64); err != nil {
				continue
			}
		}
		switch media {
		case "*/*", "application/*":
			media = mediaJSON
		case "text/*":
			media = mediaText
		case mediaJSON, mediaText, mediaCSV, mediaHTML:
		default:
			continue
		}
		if q > quality {
			best, quality = media, q
		}
	}
	return best
}

// formatOf is what the record of a reading calls a form.
func formatOf(media string) access.Format {
	switch media {
	case mediaText:
		return access.Text
	case mediaCSV:
		return access.CSV
	case mediaHTML:
		return access.HTML
	default:
		return access.JSON
	}
}

// as answers with the transcript in one of the forms.
func (t transcriptResource) as(media string) (*reply, error) {
	r := &reply{body: t, etag: etag(t.Revision)}
	var err error
	switch media {
	case mediaText:
		r.media, r.raw = mediaText+"; charset=utf-8", t.text()
	case mediaCSV:
		r.media = mediaCSV + "; charset=utf-8; header=present"
		r.raw, err = t.csv()
	case mediaHTML:
		r.media = mediaHTML + "; charset=utf-8"
		r.raw, err = t.html()
	}
	return r, err
}

func (t transcriptResource) text() []byte {
	var out bytes.Buffer
	for _, e := range t.Entries {
		fmt.Fprintf(&out, "%s  %-7s  %s", e.At, e.Visibility, e.Type)
		if e.Sender != nil {
			fmt.Fprintf(&out, "  %s %s", e.Sender.Role, oneLine(e.Sender.Name))
		}
		if e.Text != "" {
			out.WriteString(": " + indented.Replace(e.Text))
		}
		out.WriteByte('\n')
	}
	if t.Incomplete {
		out.WriteString("Some events of the session are missing.\n")
	}
	return out.Bytes()
}

// indented keeps whatever begins a new line of a text from looking like an entry.
var indented = strings.NewReplacer("\r\n", "\n    ", "\n", "\n    ", "\r", "\n    ", "\v", "\n    ", "\f", "\n    ",
	"\u0085", "\n    ", "\u2028", "\n    ", "\u2029", "\n    ")

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func (t transcriptResource) csv() ([]byte, error) {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	rows := [][]string{{"seq", "at", "type", "visibility", "sender_id", "sender_role", "sender_name", "text"}}
	for _, e := range t.Entries {
		from := sender{}
		if e.Sender != nil {
			from = *e.Sender
		}
		rows = append(rows, []string{
			strconv.FormatUint(e.Seq, 10), e.At.String(), e.Type, string(e.Visibility),
			cell(from.ID), string(from.Role), cell(from.Name), cell(e.Text),
		})
	}
	if err := w.WriteAll(rows); err != nil {
		return nil, fmt.Errorf("write a transcript as CSV: %w", err)
	}
	return out.Bytes(), nil
}

// cell keeps a spreadsheet from taking what a customer wrote for a formula.
func cell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

var transcriptPage = template.Must(template.New("transcript").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Transcript {{.SessionID}}</title></head>
<body><h1>Transcript</h1><p>Session {{.SessionID}}, as the {{.Role}} sees it</p>{{if .Incomplete}}<p>Some events of the session are missing.</p>{{end}}
<table border="1" cellpadding="4"><thead><tr><th>#</th><th>At</th><th>Type</th><th>Visibility</th><th>Sender</th><th>Text</th></tr></thead>
<tbody>{{range .Entries}}<tr><td>{{.Seq}}</td><td>{{.At}}</td><td>{{.Type}}</td><td>{{.Visibility}}</td><td>{{with .Sender}}{{.Role}} {{.Name}}{{end}}</td><td><pre>{{.Text}}</pre></td></tr>
{{end}}</tbody></table></body></html>
`))

func (t transcriptResource) html() ([]byte, error) {
	var out bytes.Buffer
	if err := transcriptPage.Execute(&out, t); err != nil {
		return nil, fmt.Errorf("write a transcript as HTML: %w", err)
	}
	return out.Bytes(), nil
}
