package api

import (
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chatwatch/chatwatch/domain"
)

// operation is one line of the interface: how it is reached, who may call it, what goes in and out, and what carries it
// out. The router and the OpenAPI document are both made from it.
type operation struct {
	id, method, path string // path below the base, parameters as {name}
	tag, summary     string
	// roles that may call it at all; what they may do is decided further in. None: everybody, with or without a token.
	roles []domain.Role
	// takes is a value of the body's type, nil for an operation without a body.
	takes        any
	optionalBody bool
	query        []parameter
	// gives is a value of the answer's type, under status (200 when zero).
	gives  any
	status int
	media  []string // other forms of the answer
	handle func(*call) (*reply, error)
}

func (o *operation) writes() bool { return o.method != http.MethodGet }

// streams tells whether the answer goes on until the caller leaves.
func (o *operation) streams() bool { return strings.HasSuffix(o.path, "/live") }

type parameter struct{ name, doc string }

// document adds the operation to the OpenAPI document.
func (o *operation) document(doc *huma.OpenAPI, base string) {
	op := &huma.Operation{
		OperationID: o.id, Method: o.method, Path: base + o.path, Tags: []string{o.tag}, Summary: o.summary,
		Responses: map[string]*huma.Response{}, Parameters: o.parameters(),
	}
	if len(o.roles) > 0 {
		op.Security = []map[string][]string{{"bearer": {}}}
		op.Description = "For: " + joinRoles(o.roles) + "."
	} else {
		op.Security = []map[string][]string{{}, {"bearer": {}}}
	}
	if o.takes != nil {
		op.RequestBody = &huma.RequestBody{
			Required: !o.optionalBody, Content: jsonContent(doc.Components.Schemas, o.takes, o.id+"-request"),
		}
	}
	answer := &huma.Response{Description: "Done", Content: map[string]*huma.MediaType{}}
	if o.gives != nil {
		answer.Content = jsonContent(doc.Components.Schemas, o.gives, o.id+"-response")
	}
	for _, media := range o.media {
		answer.Content[media] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
	}
	status := o.status
	if status == 0 {
		status = http.StatusOK
	}
	op.Responses[strconv.Itoa(status)] = answer
	if o.method == http.MethodPut && status == http.StatusOK && strings.Count(o.path, "/") == 2 {
		op.Responses[strconv.Itoa(http.StatusCreated)] = &huma.Response{Description: "Created", Content: answer.Content}
	}
	op.Responses["default"] = &huma.Response{
		Description: "A problem (RFC 9457) with a stable code",
		Content: map[string]*huma.MediaType{"application/problem+json": {
			Schema: doc.Components.Schemas.Schema(reflect.TypeFor[problemBody](), true, "Problem"),
		}},
	}
	doc.AddOperation(op)
}

func jsonContent(registry huma.Registry, value any, hint string) map[string]*huma.MediaType {
	return map[string]*huma.MediaType{"application/json": {Schema: registry.Schema(reflect.TypeOf(value), true, hint)}}
}

// Headers that every write, and every read, understands.
var (
	writeHeaders = []parameter{
		{"Idempotency-Key", "1 to 255 visible characters: the same request under the same key is carried out once"},
		{"If-Match", "the ETag that the resource must have, else stale_revision"},
		{"X-Request-Id", "returned, and kept with what the request changes"},
	}
	readHeaders = []parameter{
		{"Chatwatch-After", "a Chatwatch-Position: the answer holds at least what was there, else projection_behind, which tells both positions"},
		{"X-Request-Id", "returned"},
	}
)

func (o *operation) parameters() []*huma.Param {
	var params []*huma.Param
	add := func(in string, p parameter, required bool) {
		params = append(params, &huma.Param{
			Name: p.name, In: in, Description: p.doc, Required: required, Schema: &huma.Schema{Type: huma.TypeString},
		})
	}
	for part := range strings.SplitSeq(o.path, "/") {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			add("path", parameter{strings.TrimSuffix(name, "}"), "identifier"}, true)
		}
	}
	for _, p := range o.query {
		add("query", p, false)
	}
	headers := readHeaders
	if o.writes() {
		headers = writeHeaders
	}
	for _, p := range headers {
		add("header", p, false)
	}
	return params
}

func joinRoles(roles []domain.Role) string {
	words := make([]string, len(roles))
	for i, r := range roles {
		words[i] = string(r)
	}
	return strings.Join(words, ", ")
}
