// The browsers, as the tests want them: headless, quiet, and with or without mDNS names in place of their addresses.

import puppeteer from "puppeteer-core";

const CHROMIUM = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--disable-dev-shm-usage",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--allow-loopback-in-peer-connection",
];

const FIREFOX = {
  "app.normandy.enabled": false,
  "app.update.disabledForTesting": true,
  "browser.newtabpage.enabled": false,
  "datareporting.policy.dataSubmissionEnabled": false,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
};

const LAUNCH = {
  chromium: (names) => ({
    browser: "chrome",
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: names ? CHROMIUM : [...CHROMIUM, "--disable-features=WebRtcHideLocalIpsWithMdns"],
  }),
  firefox: (names) => ({
    browser: "firefox",
    executablePath: process.env.FIREFOX ?? "/usr/bin/firefox-esr",
    extraPrefsFirefox: { ...FIREFOX, "media.peerconnection.ice.obfuscate_host_addresses": names },
  }),
};

/** The names of the browsers to test. */
export const BROWSERS = (process.env.PAVANE_TEST_BROWSERS ?? "chromium firefox").split(" ").filter(Boolean);

/** `names`: whether the browser hides its addresses behind mDNS names, as it does by default. */
export async function launch(name, { names = true } = {}) {
  return puppeteer.launch({ headless: true, timeout: 60_000, protocolTimeout: 120_000, ...LAUNCH[name](names) });
}

/** Opens a page whose console goes into `log`. */
export async function open(browser, log) {
  const page = await browser.newPage();
  page.on("console", (message) => log.push(`console ${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => log.push(`page error: ${error.message}`));
  return page;
}
