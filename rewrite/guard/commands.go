package guard

// commands are how vendors are told about consent through their own globals: vendor, global, method ("no|yes" if they
// differ, "" to call the global itself), leading arguments, argument for no, argument for yes; JSON without spaces. A * before
// the vendor: a yes is told on each page, as it is kept nowhere, or where it is, saying it again has no effect that counts.
// "$ads" is "granted" or "denied" as Microsoft's advertising is.
// Sources: the vendors' developer documentation (Meta "GDPR", Microsoft "UET consent mode" and "Clarity consent API v2",
// Pinterest "Consent", TikTok pixel, Amplitude, Mixpanel, PostHog, Matomo "Asking for consent", HubSpot "Tracking code",
// Adobe "setConsent", Piano "Consent", Zendesk "Messaging cookies").
var commands = []string{
	`*meta-pixel fbq  "consent" "revoke" "grant"`,
	`*microsoft-uet uetq push "consent","update" {"ad_storage":"denied"} {"ad_storage":"granted"}`,
	`*clarity clarity  "consentv2" {"ad_Storage":"denied","analytics_Storage":"denied"} {"ad_Storage":"$ads","analytics_Storage":"granted"}`,
	`*tiktok-pixel ttq revokeConsent|grantConsent   `,
	`*pinterest-tag pintrk  "setconsent" false true`,
	`*reddit-pixel rdt   "disableFirstPartyCookies" "enableFirstPartyCookies"`,
	`amplitude amplitude setOptOut  true false`,
	`mixpanel mixpanel opt_out_tracking|opt_in_tracking   `,
	`posthog posthog opt_out_capturing|opt_in_capturing   `,
	`*matomo _paq push  ["forgetConsentGiven"] ["setConsentGiven"]`,
	`hubspot _hsq push  ["doNotTrack"] ["doNotTrack",{"track":true}]`,
	`adobe-analytics alloy  "setConsent" {"consent":[{"standard":"Adobe","version":"1.0","value":{"general":"out"}}]} {"consent":[{"standard":"Adobe","version":"1.0","value":{"general":"in"}}]}`,
	`piano-analytics pa consent.setMode  "opt-out" "opt-in"`,
	`*zendesk zE  "messenger:set","cookies" false true`,
}
