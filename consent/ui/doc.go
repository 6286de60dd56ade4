// Package ui renders what a visitor sees of consent: the banner, the preference page, the placeholders of gated embeds
// and static share links, in the visitor's language, without a line of script.
//
// # Fairness
//
// Refusing is exactly as easy as accepting: both are the same element with the same class on the first layer, no box is
// ticked that the visitor did not tick, closing the banner decides nothing, and no option can change any of this: [New]
// refuses a configuration that tries (GDPR Art. 4(11) and 7; EDPB Cookie Banner Taskforce report, January 2023).
//
// # Hooks for a script
//
// Everything works as plain HTML forms. A script that wants to spare the visitor the reload finds:
//
//	<consent-banner data-consent-ui="MARK" data-consent-state="ask|rest|signal">   host, its shadow root is open
//	  details                              the panel; open in state ask; the visitor folds it, which decides nothing
//	    summary[data-consent-open]         the permanent way back; toggles the panel natively
//	    form[data-consent-form]            POST {prefix}/choose
//	      input[name=return]               path to go back to
//	      input[name=purpose]              a checkbox for each purpose asked
//	      button[name=choice]              refuse, accept, save
//	  p[role=status][data-consent-status]  live region; data-saved and data-error hold the sentences to put into it
//
// After a choice a script sets the boxes, puts the sentence into the live region, sets data-consent-state to
// anything else than ask or signal and folds the panel. On Escape it folds the panel and does nothing else. A placeholder
// (a srcdoc document) holds a form without scripts too, and button[data-consent-load=VENDOR], shown only where scripts run.
package ui
