// Package architecture keeps, in its tests, what the layout of the source promises: which way imports point, what the domain
// never touches, and a few habits of the house. It reads the source itself, so that no result comes out of a cache that does
// not know about it. It holds no code of the product.
package architecture
