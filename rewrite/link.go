package rewrite

// linkTypes are the link types that contact a host. (HTML, 4.6.8; Resource Hints; icons, search and next as browsers do)
var linkTypes = map[string]Destination{
	"stylesheet": DestinationStyle, "modulepreload": DestinationScript, "preload": DestinationEmpty,
	"icon": DestinationImage, "mask-icon": DestinationImage, "apple-touch-icon": DestinationImage,
	"apple-touch-icon-precomposed": DestinationImage, "apple-touch-startup-image": DestinationImage,
	"fluid-icon": DestinationImage, "shortcut": DestinationImage, "image_src": DestinationImage,
	"manifest": DestinationManifest, "preconnect": DestinationConnect, "dns-prefetch": DestinationConnect,
	"prefetch": DestinationPrefetch, "prerender": DestinationPrefetch, "subresource": DestinationPrefetch,
	"next": DestinationPrefetch, "compression-dictionary": DestinationPrefetch, "dictionary": DestinationPrefetch,
	"search": DestinationEmpty, "monetization": DestinationEmpty, "import": DestinationScript, "serviceworker": DestinationWorker,
}

// LinkDestination returns what a browser fetches a link of a type for, in an element or a Link field; ok is false for a type
// that contacts nobody. rel is one type in lower case. What a preload is for its "as" says, see [PreloadDestination].
func LinkDestination(rel string) (d Destination, ok bool) {
	d, ok = linkTypes[rel]
	return d, ok
}

// preloads are the destinations that "as" names. (Fetch, 2.2.5; HTML, 4.6.8.20)
var preloads = map[string]Destination{
	"script": DestinationScript, "json": DestinationScript, "style": DestinationStyle, "image": DestinationImage, "font": DestinationFont,
	"audio": DestinationMedia, "video": DestinationMedia, "track": DestinationMedia,
	"document": DestinationFrame, "iframe": DestinationFrame, "frame": DestinationFrame, "embed": DestinationObject, "object": DestinationObject,
	"worker": DestinationWorker, "sharedworker": DestinationWorker, "serviceworker": DestinationWorker,
}

// PreloadDestination returns the destination that the "as" of a link names, in lower case; ok is false where it names none.
func PreloadDestination(as string) (d Destination, ok bool) {
	d, ok = preloads[as]
	return d, ok
}
