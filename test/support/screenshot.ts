import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { openBrowser } from './browser.ts'

/** Takes a picture of a page: `node --import tsx test/support/screenshot.ts FILE|URL out.png [--dark] [--height PIXELS] [--width PIXELS]`. */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { dark: { type: 'boolean' }, width: { type: 'string', default: '1120' }, height: { type: 'string' } },
})
const [page = 'report.html', picture = 'report.png'] = positionals
const browser = await openBrowser()
try {
  const tab = await browser.newPage({
    viewport: { width: Number(values.width), height: Number(values.height ?? 900) },
    colorScheme: values.dark ? 'dark' : 'light',
  })
  await tab.goto(/^[a-z]+:\/\//.test(page) ? page : pathToFileURL(resolve(page)).href)
  await tab.screenshot({ path: picture, fullPage: values.height === undefined })
} finally {
  await browser.close()
}
