import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { pageOf } from '../../scripts/report/page.ts'
import { BROWSER } from '../support/browser.ts'
import { COLOURS, ELEMENTS, fileOf, hostileData, LOOK, MEDIA, opened, type Seen } from './pages.ts'
import { sampleData } from './sample.ts'

const skip = BROWSER.missing

test('hostile names: no script, no request, no element or attribute of theirs', { skip }, async () => {
  const url = fileOf(await pageOf(hostileData()))
  const { page, troubles, requests } = await opened(url)
  await page.mouse.move(300, 500)
  const seen = (await page.evaluate(LOOK)) as Seen
  assert.deepEqual(troubles, [])
  assert.deepEqual(requests, [url])
  assert.equal(seen.url, url)
  assert.equal(seen.hacked, undefined)
  assert.equal(seen.handlers, 0)
  assert.deepEqual(
    seen.elements.filter((name) => !ELEMENTS.test(name)),
    [],
  )
  // Its own, which runs: there are fields to filter with.
  assert.equal(seen.elements.filter((name) => name === 'script').length, 1)
  assert.ok(seen.elements.includes('select'))
  assert.ok(((await page.textContent('main')) ?? '').includes('<script>window.hacked = 1</script>'))
})

test('the policy holds even against markup that got through', { skip }, async () => {
  const text = (await pageOf(sampleData())).replace(
    '</main>',
    '<script>window.hacked = 1</script><img src="http://127.0.0.1:9/x" onerror="window.hacked = 2"><b style="color: red"></b></main>',
  )
  const { page, troubles } = await opened(fileOf(text))
  assert.equal(((await page.evaluate(LOOK)) as Seen).hacked, undefined)
  assert.ok(troubles.length >= 3, troubles.join('\n'))
  assert.ok(
    troubles.every((trouble) => /Content Security Policy/.test(trouble)),
    troubles.join('\n'),
  )
})

test('served over HTTP it asks for nothing either', { skip }, async () => {
  const text = await pageOf(sampleData())
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    response.setHeader('content-type', 'text/html').end(text)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { troubles } = await opened(`http://127.0.0.1:${(server.address() as AddressInfo).port}/report.html`)
  server.closeAllConnections()
  server.close()
  assert.deepEqual(troubles, [])
  assert.deepEqual(asked, ['/report.html'])
})

for (const [what, options, paper] of MEDIA)
  test(`the style applies and nothing overflows: ${what}`, { skip }, async () => {
    const { page, troubles } = await opened(fileOf(await pageOf(sampleData())), options)
    const seen = (await page.evaluate(COLOURS)) as { paper: string; over: number }
    assert.equal(seen.paper, paper)
    assert.ok(seen.over <= 0, `${seen.over} pixels too wide`)
    assert.deepEqual(troubles, [])
  })
