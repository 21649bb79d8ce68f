package wire

// Instructions is for the test that compares it with the compiler.
var Instructions = instructions
