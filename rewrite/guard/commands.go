package guard

// commands are how vendors are told about consent through their own globals: vendor, global, method ("no|yes" if they
// differ, "" to call the global itself), leading arguments, argument for no, argument for yes; JSON without spaces.
// Sources: the vendors' developer documentation (Meta "GDPR", Microsoft "UET consent mode" and "Clarity consent API",
// Pinterest "Consent", TikTok pixel, Amplitude, Mixpanel, PostHog, Matomo, HubSpot).
var commands = []string{
	`meta-pixel fbq  "consent" "revoke" "grant"`,
	`microsoft-uet uetq push "consent","update" {"ad_storage":"denied"} {"ad_storage":"granted"}`,
	`clarity clarity  "consentv2" {"ad_Storage":"denied","analytics_Storage":"denied"} {"ad_Storage":"granted","analytics_Storage":"granted"}`,
	`tiktok-pixel ttq revokeConsent|grantConsent   `,
	`pinterest-tag pintrk  "setconsent" false true`,
	`reddit-pixel rdt   "disableFirstPartyCookies" "enableFirstPartyCookies"`,
	`amplitude amplitude setOptOut  true false`,
	`mixpanel mixpanel opt_out_tracking|opt_in_tracking   `,
	`posthog posthog opt_out_capturing|opt_in_capturing   `,
	`matomo _paq push  ["forgetConsentGiven"] ["setConsentGiven"]`,
}
