// Package auth knows who is asking. It keeps the secret of an installation, signs and checks bearer tokens with it, and seals
// what is given out but not meant to be read: log positions and cursors, from which no distance can be told. It decides who
// somebody is and never what they may do: that comes from their profile at the time of the act.
package auth
