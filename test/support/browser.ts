import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

const PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]

const executablePath = PLACES.find((path) => existsSync(path))

/** Whether a browser is installed here; `missing` is what a test's `skip` takes. */
export const BROWSER: { readonly missing: string | false } = {
  missing: executablePath === undefined ? 'no Chromium here (apt-get install chromium)' : false,
}

/** The system's Chromium, without a window. */
export async function openBrowser(): Promise<Browser> {
  if (executablePath === undefined) throw new Error('no Chromium found')
  return chromium.launch({ executablePath, args: ['--no-sandbox'] })
}
