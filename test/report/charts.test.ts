import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chartist } from '../../scripts/report/charts.ts'

/** Numbers of attributes of every element of a kind, in the markup of what begins at a place. */
function shapes(markup: string, element: string, names: readonly string[]): number[][] {
  const tags = markup.match(new RegExp(`<${element} [^>]*>`, 'g')) ?? []
  return tags.map((tag) => names.map((name) => Number(new RegExp(` ${name}="([^"]*)"`).exec(tag)?.[1])))
}

/** The part of the markup that belongs to the marks after this one. */
const after = (markup: string, mark: string): string => markup.slice(markup.indexOf(mark))

test('bars of both groups, and a line at the threshold that has exactly the flagged ones to its left', async () => {
  const bins = Array.from({ length: 10 }, (_, i) => ({ from: i - 5, to: i - 4, normal: i, attack: 10 - i }))
  for (const threshold of [-5, -2, 0, 5]) {
    const { markup } = (await chartist()).scores({ bins, threshold, hasAttacks: true, rank: 'score' })
    const [line] = shapes(after(markup, 'aria-label="rule"').split('var(--ink)')[1] ?? '', 'line', ['x1', 'x2'])
    const [x = Number.NaN, end] = line ?? []
    assert.equal(x, end)
    for (const [group, of] of [
      ['normal', bins.filter(({ normal }) => normal > 0)],
      ['attack', bins],
    ] as const) {
      const bars = shapes(after(markup, `fill="var(--${group})"`).split('</g>')[0] ?? '', 'rect', ['x', 'width'])
      assert.equal(bars.length, of.length)
      for (const [i, [from = 0, width = 0]] of bars.entries())
        assert.equal(from + width / 2 < x, (of[i]?.to ?? 0) <= threshold, `${group} ${i} at ${threshold}`)
    }
    assert.match(markup, /normal pairs, 45</)
    assert.match(markup, /known attacks, 55</)
  }
})

test('the curve goes through its points, the threshold lies on it, and the rules where they belong', async () => {
  const rule = (normalSeen: number, attackSeen: number) => ({ normalSeen, attackSeen, auc: 0 })
  const at = { falsePositives: 0.01, truePositives: 0.9 }
  const { markup } = (await chartist()).roc({
    auc: 0.9,
    roc: [{ falsePositives: 0, truePositives: 0 }, at, { falsePositives: 1, truePositives: 1 }],
    at,
    rules: { ip: rule(0.9, 0), net24: rule(0.99, 0.5), net16: rule(0.9, 0.9) },
  })
  const [, path = ''] = /stroke="var\(--model\)"[^>]*><path d="M([^"]*)"/.exec(markup) ?? []
  const [[, bottom = 0] = [], [left = 0, high = 0] = [], [right = 0, top = 0] = []] = path
    .split('L')
    .map((point) => point.split(',').map(Number))
  const y = (share: number) => bottom + (top - bottom) * share
  // From 0.01 on the left to 1 on the right, by powers of ten.
  const x = (share: number) => right + ((right - left) * Math.log10(share)) / 2
  const near = (found: number[] | undefined, wanted: number[]) => {
    for (const [i, value] of wanted.entries()) assert.ok(Math.abs(value - (found?.[i] ?? 0)) < 0.02, `${found}`)
  }
  near([left, high], [x(0.01), y(0.9)])
  const dots = shapes(after(markup, 'aria-label="dot"'), 'circle', ['cx', 'cy'])
  near(dots[0], [x(0.1), y(1)])
  near(dots[1], [x(0.01), y(0.5)])
  near(dots[2], [x(0.1), y(0.1)])
  near(dots[3], [x(0.01), y(0.9)])
})
