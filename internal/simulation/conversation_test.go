package simulation

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

const goodLine = `{"id":"a","queue":"hotels","turns":[["customer","hi"],["agent","hello"]]}`

func TestReadsConversationsAndNamesTheLinesThatAreBad(t *testing.T) {
	file := strings.Join([]string{
		"\uFEFF" + goodLine,
		"",
		`{"id":"b","queue":"hotels","turns":[["customer","hi"],["robot","hello"]]}`,
		`not json`,
		`{"id":"c","queue":"Rental Cars","turns":[["agent","\u00fc \ud83d\ude00 \/"]]}`,
		goodLine,
	}, "\r\n")
	got, bad, err := ReadConversations(strings.NewReader(file), 0)
	if err != nil {
		t.Fatal(err)
	}
	want := []Conversation{
		{ID: "a", Queue: "hotels", Turns: []Turn{{Role: "customer", Text: "hi"}, {Role: "agent", Text: "hello"}}},
		{ID: "c", Queue: "Rental Cars", Turns: []Turn{{Role: "agent", Text: "ü 😀 /"}}},
	}
	if diff := cmp.Diff(want, got, cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".literal" }, cmp.Ignore())); diff != "" {
		t.Error(diff)
	}
	var lines []string
	for _, b := range bad {
		lines = append(lines, b.Error())
	}
	if diff := cmp.Diff([]string{
		"line 3: turn 2: the role must be customer or agent",
		"line 4: not a JSON object (broken at byte 2)",
		"line 6: the id stands in line 1 already",
	}, lines); diff != "" {
		t.Error(diff)
	}
}

func TestEveryLineThatIsNoConversationIsRefusedAsAWhole(t *testing.T) {
	for line, want := range map[string]string{
		`[]`:                                 "not a JSON object",
		`{"queue":"q"}`:                      "the id is missing",
		`{"id":"a","turns":[["agent","x"]]}`: "the queue is missing",
		`{"id":"a","queue":"--","turns":[["agent","x"]]}`:                                 "the queue is missing",
		`{"id":"a","queue":"q","turns":[]}`:                                               "no turns",
		`{"id":"a","queue":"q","turns":"x"}`:                                              "turns has the wrong type",
		`{"id":"a","queue":"q","turns":[["agent"]]}`:                                      "turn 1: not a pair",
		`{"id":"a","queue":"q","turns":[["agent","x",1]]}`:                                "turn 1: not a pair",
		`{"id":"a","queue":"q","turns":[["agent",1]]}`:                                    "turn 1: the text is not a string",
		`{"id":"a","queue":"q","turns":[["agent",null]]}`:                                 "turn 1: invalid_request: text must not be empty",
		`{"id":"a","queue":"q","turns":[["agent"," \n"]]}`:                                "text must not be empty",
		`{"id":"a","queue":"q","turns":[["agent","\u0000"]]}`:                             "NUL",
		`{"id":"a","queue":"q","turns":[["agent","\ud83d"]]}`:                             "half a surrogate pair",
		"{\"id\":\"a\",\"queue\":\"q\",\"turns\":[[\"agent\",\"\xff\"]]}":                 "not valid UTF-8",
		`{"id":"a","queue":"q","turns":[["agent","` + strings.Repeat("x", 32769) + `"]]}`: "longer than 32768 bytes",
	} {
		got, bad, err := ReadConversations(strings.NewReader(line), 0)
		if err != nil || len(got) != 0 || len(bad) != 1 || !strings.Contains(bad[0].Error(), want) {
			t.Errorf("%.60s: got %v, %v, %v, want a refusal with %q", line, got, bad, err, want)
		}
	}
}

func TestReadsNoFurtherThanTheLimit(t *testing.T) {
	got, bad, err := ReadConversations(strings.NewReader(goodLine+"\nnot json\n"), 1)
	if err != nil || len(got) != 1 || len(bad) != 0 {
		t.Errorf("got %v, %v, %v", got, bad, err)
	}
}

func TestTextIsPostedAsItStandsInTheFile(t *testing.T) {
	const literal = `"tab\t \u00fc \ud83d\ude00 \"quoted\" <b> \\ud83d"`
	got, bad, err := ReadConversations(strings.NewReader(`{"id":"a","queue":"q","turns":[["agent", `+literal+` ]]}`), 0)
	if err != nil || len(bad) != 0 {
		t.Fatal(bad, err)
	}
	if is := string(got[0].Turns[0].encoded()); is != literal {
		t.Errorf("posted %s, want %s", is, literal)
	}
}

func TestTextOfATurnSurvivesTheWayThroughTheFile(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := "x" + strings.ReplaceAll(rapid.String().Draw(t, "text"), "\x00", "")
		line, err := json.Marshal(map[string]any{"id": "a", "queue": "q", "turns": [][]string{{"agent", text}}})
		if err != nil {
			t.Fatal(err)
		}
		got, bad, err := ReadConversations(strings.NewReader(string(line)), 0)
		if err != nil || len(bad) != 0 {
			t.Fatal(bad, err)
		}
		var posted string
		if err := json.Unmarshal(got[0].Turns[0].encoded(), &posted); err != nil || posted != text {
			t.Fatalf("posted %q, want %q (%v)", posted, text, err)
		}
		if own := (Turn{Text: text}).encoded(); json.Unmarshal(own, &posted) != nil || posted != text {
			t.Fatalf("encoded %s, want %q", own, text)
		}
	})
}

func TestHalfOfASurrogatePairIsFound(t *testing.T) {
	for literal, want := range map[string]bool{
		`"\ud83d\ude00"`: false, `"\uD83D\uDE00x"`: false, `"\\ud83d"`: false, `"\u00e4\n"`: false, `""`: false,
		`"\ud83d"`: true, `"\ude00"`: true, `"\ud83d\u0041"`: true, `"\ud83dxxxxxx"`: true, `"\ud83d\ud83d\ude00"`: true,
		`"\ud83d\ude00\ud83d"`: true,
	} {
		if got := halfSurrogate([]byte(literal)); got != want {
			t.Errorf("%s: got %t", literal, got)
		}
	}
}

func TestQueueIDComesFromItsName(t *testing.T) {
	for name, want := range map[string]string{
		"hotels": "hotels", "Rental Cars": "rental-cars", "_x": "x", "Ä": "", "": "",
		strings.Repeat("a", 70): strings.Repeat("a", 64), "a b ": "a-b",
	} {
		if got := slug(name); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}

func TestReadFileNamesEveryLineThatHoldsNoConversation(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.jsonl")
	if err := os.WriteFile(file, []byte("no\n"+goodLine+"\nno\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := ReadFile(file)
	if len(got) != 1 || err == nil || !strings.Contains(err.Error(), "line 1:") || !strings.Contains(err.Error(), "line 3:") {
		t.Errorf("%v, %v", got, err)
	}
}
