package rules

import (
	"net/url"
	"slices"
	"strings"
)

// paymentWords are what shops in many languages call the pages on which a visitor pays or gives. A word that is common in
// other addresses too stands with a leading = and must be the whole segment.
var paymentWords = strings.Fields(`
	checkout checkouts =order =transact =pay payment payments =billing =purchase donate donation donations =give order-pay placeorder
	=kasse zur-kasse warenkorb-kasse =bestellung =bestellvorgang bezahlen bezahlung zahlung zahlungsart =spenden =spende jetzt-spenden onlinespende
	=caisse =commande paiement payer passer-commande =don faire-un-don je-donne
	=pago =pagos =pagar =pedido finalizar-compra tramitar-pedido =donar donacion
	pagamento pagamenti =ordine =cassa =donazione dona-ora =doar finalizar-encomenda
	afrekenen betalen betaling =doneren doneer
	kassan till-kassan betala =kassa kassalle maksaminen =maksu =betal
	platnosc platnosci =kasa zamowienie-platnosc pokladna platba platby =placilo placanje blagajna naplata
	penztar fizetes =plata finalizare-comanda odeme =bagis
	оплата касса оформление-заказа плащане πληρωμή ταμείο
	決済 お支払い 支付 结账 結帳 결제`)

// pageParameters are what applications without speaking addresses call the parameter that says which page is meant: OpenCart's
// route, Zen Cart's main_page, PrestaShop's controller, OXID's cl, WHMCS's a. Others, such as a search's, say nothing of it.
var pageParameters = strings.Fields("route main_page controller cl page view do action act a step")

// maxParameters is how many parameters of a query are looked at.
const maxParameters = 16

// PaymentPage reports whether a page is, by the name in its path or in the parameter of its query that stands for one, where a
// payment is made: "/checkout", "/de/kasse/", "/shop/paiement.php", "/index.php?route=checkout/checkout". Operators declare
// others.
func PaymentPage(path, query string) bool {
	if paymentPath(path) {
		return true
	}
	for range maxParameters {
		if query == "" {
			break
		}
		var parameter string
		parameter, query, _ = strings.Cut(query, "&")
		name, value, _ := strings.Cut(parameter, "=")
		if slices.Contains(pageParameters, name) && paymentPath(value) {
			return true
		}
	}
	return false
}

func paymentPath(path string) bool {
	if strings.IndexByte(path, '%') >= 0 {
		if p, err := url.PathUnescape(path); err == nil {
			path = p
		}
	}
	for path != "" {
		var segment string
		segment, path, _ = strings.Cut(path, "/")
		if segment != "" && len(segment) <= 64 && paymentSegment(segment) {
			return true
		}
	}
	return false
}

func paymentSegment(segment string) bool {
	segment, _, _ = strings.Cut(strings.ToLower(segment), ".")
	for _, w := range paymentWords {
		if whole, ok := strings.CutPrefix(w, "="); ok {
			if segment == whole {
				return true
			}
			continue
		}
		if i := strings.Index(segment, w); i >= 0 && wordAt(segment, i, len(w)) {
			return true
		}
	}
	return false
}

// wordAt reports whether segment[i:i+n] is bounded by hyphens, underscores or the segment's ends.
func wordAt(segment string, i, n int) bool {
	bound := func(c byte) bool { return c == '-' || c == '_' || c == '+' }
	return (i == 0 || bound(segment[i-1])) && (i+n == len(segment) || bound(segment[i+n]))
}
