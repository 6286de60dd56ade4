// Package catalogue holds what is known about vendors: their hosts, URL patterns, inline marks, cookies and storage keys,
// each vendor in a file of its own under vendors/, checked against the schema beside it.
//
// A pattern is written host/path. "example.com/x" means that host alone, ".example.com/x" the host and its subdomains;
// "*" stands for any run of characters in host or path. The path is a prefix, compared without regard to ASCII case; one
// that ends in a letter or digit must end there ("/tr" matches "/tr?id=1" and "/tr/", not "/trends"). "?id=G-" after the
// path asks for a query parameter id, anywhere in the query, whose value begins with G-.
package catalogue
