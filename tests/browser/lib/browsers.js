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
  "media.peerconnection.ice.tcp": true,
};

/** A camera, a microphone and a loudspeaker for machines without, and nobody asked for leave. */
const CHROMIUM_MEDIA = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", "--autoplay-policy=no-user-gesture-required"];

const FIREFOX_MEDIA = {
  "media.navigator.streams.fake": true,
  "media.navigator.permission.disabled": true,
  "media.autoplay.default": 0,
  "media.cubeb.force_mock_context": true,
};

const LAUNCH = {
  chromium: ({ names, media, trials }) => ({
    browser: "chrome",
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      ...CHROMIUM,
      ...(names ? [] : ["--disable-features=WebRtcHideLocalIpsWithMdns"]),
      ...(media ? CHROMIUM_MEDIA : []),
      ...(trials.length > 0 ? [`--force-fieldtrials=${trials.map((trial) => `${trial}/Enabled/`).join("")}`] : []),
    ],
  }),
  firefox: ({ names, media }) => ({
    browser: "firefox",
    executablePath: process.env.FIREFOX ?? "/usr/bin/firefox-esr",
    extraPrefsFirefox: { ...FIREFOX, ...(media ? FIREFOX_MEDIA : {}), "media.peerconnection.ice.obfuscate_host_addresses": names },
  }),
};

/** The names of the browsers to test. */
export const BROWSERS = (process.env.PAVANE_TEST_BROWSERS ?? "chromium firefox").split(" ").filter(Boolean);

/**
 * `names`: whether the browser hides its addresses behind mDNS names, as it does by default. `media`: whether it has a camera
 * and a microphone. `trials`: what of libwebrtc's that is off by default is on; for Chromium alone.
 */
export async function launch(name, { names = true, media = false, trials = [] } = {}) {
  return puppeteer.launch({ headless: true, timeout: 60_000, protocolTimeout: 120_000, ...LAUNCH[name]({ names, media, trials }) });
}

/** Opens a page whose console goes into `log`. */
export async function open(browser, log) {
  const page = await browser.newPage();
  page.on("console", (message) => log.push(`console ${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => log.push(`page error: ${error.message}`));
  return page;
}
