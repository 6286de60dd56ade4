import Link from 'next/link';
import Script from 'next/script';

export const metadata = {title: 'Shop'};

export default function Layout({children}) {
  return (
    <html lang="en">
      <body>
        <h1>Shop</h1>
        <Link id="to-home" href="/">Home</Link> <Link id="to-map" href="/map">Map</Link>
        {children}
        <Script src="https://static.hotjar.com/c/hotjar-1.js" strategy="beforeInteractive" />
        <Script src="https://www.googletagmanager.com/gtag/js?id=G-1" strategy="afterInteractive" />
        <Script src="https://connect.facebook.net/en_US/fbevents.js" strategy="lazyOnload" />
      </body>
    </html>
  );
}
