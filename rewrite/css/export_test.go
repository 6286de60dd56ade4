package css

// Careful makes a scanner look at everything that separates declarations, even where that means nothing.
func Careful(o *Options) { o.careful = true }
