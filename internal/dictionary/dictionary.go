// Package dictionary holds what the measures of the product mean, with the SQL that gives each of them from the tables of the
// read models, and what other contact centres call it. It is data only: docs/data-dictionary.md is made of it, and tests run
// the SQL. It decides nothing about tables; those are made by the migrations.
package dictionary

//go:generate go test ./datadoc -run TestTheDictionaryInDocsIsFresh -count 1 -write

// Measure of a contact centre.
type Measure struct {
	Name       string
	Definition string
	// Unit of the number that the SQL gives: sessions, ms, or ratio (0 to 1 unless the definition says otherwise).
	Unit string
	// Additive says whether the numbers of parts may be added up to that of the whole. Where they may not, the SQL shows from
	// which additive columns the number of any whole is made.
	Additive bool
	// SQL gives the measure, in a column of its name, for each value of its first column. It runs on PostgreSQL and on SQLite.
	SQL string
	// Genesys, Connect and Dynamics say what Genesys Cloud, Amazon Connect and Dynamics 365 Omnichannel call it; "none" when
	// they have no such measure.
	Genesys, Connect, Dynamics string
}

// Measures lists all measures, in the order of the page.
func Measures() []Measure {
	var all []Measure
	for _, group := range [][]Measure{queueMeasures, responseMeasures, agentMeasures} {
		all = append(all, group...)
	}
	return all
}
