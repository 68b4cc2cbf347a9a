import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fingerprint } from '../../scripts/lib/cli/format.ts'
import { html, strange } from '../../scripts/lib/html/html.ts'

const rendered: [what: string, html: { markup: string }, markup: string][] = [
  ['text is escaped', html`<b>${`<i>&"'`}</b>`, '<b>&lt;i&gt;&amp;&quot;&#39;</b>'],
  ['markup stays', html`<p>${html`<b>${'<'}</b>`}</p>`, '<p><b>&lt;</b></p>'],
  ['lists are joined', html`${['a', html`<br>`, ['<', 2]]}`, 'a<br>&lt;2'],
  ['nothing is nothing', html`${false}|${undefined}|${''}|${0}`, '|||0'],
  ['a backslash is read as in any template', html`\\d`, '\\d'],
]

for (const [what, { markup }, wanted] of rendered) test(what, () => assert.equal(markup, wanted))

const shown: [what: string, text: string, markup: string][] = [
  ['plain text', 'curl/8.1', 'curl/8.1'],
  ['a tag', '<img src=x onerror=alert(1)>', '&lt;img src=x onerror=alert(1)&gt;'],
  ['a text that turns round', 'a\u202eb', 'a<b class="code">U+202E</b>b'],
  ['an isolate', '\u2067', '<b class="code">U+2067</b>'],
  ['a newline and a null', '\n\0', '<b class="code">U+000A</b><b class="code">U+0000</b>'],
  ['a blank of no width', 'a\u200bb\ufeff', 'a<b class="code">U+200B</b>b<b class="code">U+FEFF</b>'],
  ['a blank that does not break', 'a\u00a0b', 'a<b class="code">U+00A0</b>b'],
  ['half a character', 'a\ud800b', 'a<b class="code">U+D800</b>b'],
  ['a tag character beyond the basic plane', '\u{e0041}', '<b class="code">U+E0041</b>'],
  ['letters without a shape', 'a\u3164\u2800b', 'a<b class="code">U+3164</b><b class="code">U+2800</b>b'],
  ['nothing but blanks', '  ', '<b class="code">U+0020</b><b class="code">U+0020</b>'],
  ['blanks around a word', ' a ', ' a '],
  ['other scripts', 'Zürich 東京 🙂', 'Zürich 東京 🙂'],
]

for (const [what, text, markup] of shown)
  test(`a stranger wrote ${what}`, () => assert.equal(strange(text).markup, `<bdi class="strange">${markup}</bdi>`))

test('a long text is cut between characters, and the rest counted', () => {
  assert.equal(
    strange('🙂'.repeat(9), 5).markup,
    `<bdi class="strange">${'🙂'.repeat(5)}</bdi><span class="more"> … 4 more (#${fingerprint('🙂'.repeat(9))})</span>`,
  )
  assert.notEqual(strange('aaaab', 4).markup, strange('aaaac', 4).markup)
})

test('no text makes markup, hides or turns round', () => {
  const text = fc.string({ unit: 'binary', maxLength: 60 })
  fc.assert(
    fc.property(text, (written) => {
      const inside = strange(written).markup.replace(/<\/?bdi[^>]*>|<b class="code">U\+[0-9A-F]{4,6}<\/b>/g, '')
      assert.doesNotMatch(inside, /[<>"']/)
      assert.doesNotMatch(inside, /[\p{Cc}\p{Cf}]/u)
    }),
  )
})
