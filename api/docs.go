package api

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"html/template"
	"slices"

	"github.com/danielgtaylor/huma/v2"
)

// newDocument begins the OpenAPI document.
func newDocument(version string) *huma.OpenAPI {
	return &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{
			Title: "chatwatch", Version: or(version, "dev"),
			Description: "A customer-service chat in which supervisors can watch, coach, join and leave live sessions. " +
				"Every problem has a stable code. Every write answers with Chatwatch-Position, which a read takes as Chatwatch-After.",
		},
		Components: &huma.Components{
			Schemas: huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
			SecuritySchemes: map[string]*huma.SecurityScheme{
				"bearer": {Type: "http", Scheme: "bearer", BearerFormat: "JWT"},
			},
		},
	}
}

// rendered is the document as it is sent.
type rendered struct{ json, html []byte }

func render(document *huma.OpenAPI) (rendered, error) {
	data, err := json.MarshalIndent(document, "", "  ")
	if err != nil {
		return rendered{}, fmt.Errorf("api: write the OpenAPI document: %w", err)
	}
	var page bytes.Buffer
	if err := docsPage.Execute(&page, sections(document)); err != nil {
		return rendered{}, fmt.Errorf("api: write the documentation: %w", err)
	}
	return rendered{data, page.Bytes()}, nil
}

type section struct {
	Name       string
	Operations []*huma.Operation
}

// sections groups the operations by their tag, in the order of their paths.
func sections(document *huma.OpenAPI) []section {
	byTag := map[string]*section{}
	for _, item := range document.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Put} {
			if op == nil {
				continue
			}
			if byTag[op.Tags[0]] == nil {
				byTag[op.Tags[0]] = &section{Name: op.Tags[0]}
			}
			byTag[op.Tags[0]].Operations = append(byTag[op.Tags[0]].Operations, op)
		}
	}
	var out []section
	for _, s := range byTag {
		slices.SortFunc(s.Operations, func(a, b *huma.Operation) int {
			return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Method, b.Method))
		})
		out = append(out, *s)
	}
	slices.SortFunc(out, func(a, b section) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// docsPage needs nothing from anywhere else.
var docsPage = template.Must(template.New("docs").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>chatwatch</title><style>
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}
article{border-top:1px solid #ddd;padding:.7rem 0}code{background:#f3f3f3;padding:.1rem .3rem;border-radius:.2rem}
b{display:inline-block;min-width:3rem}ul{margin:.3rem 0}p{margin:.3rem 0}
</style></head><body><h1>chatwatch</h1><p>The whole description, for programs: <a href="/openapi.json">/openapi.json</a></p>
{{range .}}<h2>{{.Name}}</h2>
{{range .Operations}}<article><p><b>{{.Method}}</b> <code>{{.Path}}</code></p><p>{{.Summary}}. {{.Description}}</p>
<ul>{{range .Parameters}}{{if ne .In "header"}}<li><code>{{.Name}}</code> ({{.In}}): {{.Description}}</li>{{end}}{{end}}</ul></article>
{{end}}{{end}}</body></html>
`))

func getOpenAPI(c *call) (*reply, error) {
	return &reply{media: "application/json", raw: c.docs.json}, nil
}

func getDocs(c *call) (*reply, error) {
	c.out.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
	return &reply{media: "text/html; charset=utf-8", raw: c.docs.html}, nil
}
