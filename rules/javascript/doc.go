// Package javascript recognises, in the text of a script, vendors whose code or address it holds. It never runs any of it.
//
// # What it recognises
//
// A script is read as JavaScript (ECMA-262), token by token, by a lexer that takes any text whatever. Two things count. A
// mark is a fragment of a vendor's loader or configuration, such as gtag('config' or fbq(: its tokens follow one another
// in the script, whatever blanks and comments stand between them. An address counts where it stands in a string that is
// neither compared nor logged nor data, if the script also does something to load it: it creates an element, fetches, or
// imports. Strings that + joins are read as one, escape sequences as what they stand for; calls that only put literals
// together or decode them (join, atob, fromCharCode, replace, concat, reverse, decodeURIComponent), and scripts in data: URLs, are
// spelled out and read too. What a script computes in other ways, only running it would tell, and that is the guard's
// part in the page.
//
// Found in a script of the site's own, a vendor makes it Mixed: the caller decides what to do with it. Declared tells
// which globals a script that is parked would have defined.
//
// # What it promises
//
// It never fails, whatever the text. It takes time in proportion to the text's length, with these bounds: 256 open
// brackets whose meaning is known, 64 for declarations; 256 KiB looked through in vain for the ends of regular expressions;
// 2 KiB of a joined string at a time, in pieces that overlap by 256 bytes; 16 marks that have begun; 8 addresses; three
// rounds of spelling out, of 4 KiB a value and twice the text together. What is beyond a bound is read all the same, with
// less knowledge of it.
//
// It allocates only where calls are spelled out, and keeps nothing of the text. Before it reads a script it rules out, in a
// look at every other place of it, that there is anything to be found (see sieve.go): most scripts of most sites end
// there, in less than half of the time.
package javascript
