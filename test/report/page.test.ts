import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import type { ReportData } from '../../scripts/report/data.ts'
import { pageOf } from '../../scripts/report/page.ts'
import { sampleData } from './sample.ts'

const all = sampleData()
const scored = all.scored ?? assert.fail()
const { attacks: _, ...withoutLabels } = scored
const { scored: __, ...trainedOnly } = all

const madeUser = {
  first: '2026-03-10T01:02:03.000Z',
  last: '2026-03-10T02:00:00.000Z',
  accesses: 1200,
  aspects: {
    name: [{ value: 'john', events: 1200 }],
    account: [{ value: '111122223333', events: 1200 }],
    call: [{ value: 'iam.amazonaws.com:CreateUser', events: 1200 }],
    error: [{ value: 'AccessDenied', events: 3 }],
  },
}

/** What a run may lack. */
const variants: [what: string, data: ReportData, says: RegExp[], not: RegExp[]][] = [
  [
    'scored with labels',
    all,
    [
      /<title>CloudTrail · 10 Mar 2026 – 12 Mar 2026 UTC, judged by the model of 2 Mar 2026 – 10 Mar 2026 UTC<\/title>/,
      /17 alerts in 2 days are 8\.5 a day, for a budget of 10\. Their number follows from the budget, not from attacks/,
      /17 pairs<\/em> of 6,212 do not fit/,
      /known attacks found/,
      /Found with 17 alerts/,
    ],
    [/Nothing has/],
  ],
  [
    'scored without labels',
    { ...all, scored: withoutLabels },
    [/17 pairs/, /random public addresses/],
    [/known attacks found/, /what was done/],
  ],
  [
    'attacks of which none could be judged',
    { ...all, scored: { ...scored, flagged: 0, attacks: unjudgedAttacks() } },
    [
      /<strong>0<\/strong> <span>of 5 \(0 %\)/,
      /No curve can be drawn/,
      /Found with 0 alerts/,
      /Nothing was flagged\. A plain rule/,
      /class="kinds"/,
    ],
    [/<figcaption>/, /known attacks, 0/],
  ],
  [
    'trained only',
    trainedOnly,
    [/Nothing has been scored yet/, /scripts\/score\.mjs --run/, /Scores of 6,212/],
    [/Most anomalous/],
  ],
  [
    'nothing flagged',
    { ...all, scored: { ...withoutLabels, flagged: 0, top: [] } },
    [/<em>None<\/em> of 6,212 pairs/],
    [/Most anomalous/],
  ],
  [
    'nothing flagged but what is allowed',
    { ...all, scored: { ...withoutLabels, flagged: 0, allowed: 4, top: [] } },
    [
      /<em>None<\/em> of 6,212 pairs falls below the threshold outside of allowed/,
      /are flagged, except 4 pairs in allowed/,
    ],
    [],
  ],
  [
    'nothing flagged, and what comes closest',
    { ...all, scored: { ...withoutLabels, flagged: 0, top: scored.top.slice(17) } },
    [/<em>None<\/em> of 6,212 pairs/, /Nothing is flagged; these come closest\./],
    [/All flagged pairs/, /tr class="flagged"/],
  ],
  [
    'more flagged than anybody reads',
    { ...all, scored: { ...withoutLabels, flagged: 300 } },
    [/The first 20 of 300 flagged pairs; the verdicts in scores\/holdout\/verdicts\.ndjson have them all/],
    [],
  ],
  [
    'what the logs say about an alert',
    { ...all, scored: { ...scored, top: scored.top.map((anomaly) => ({ ...anomaly, details: madeUser })) } },
    [
      /<th>what was done<\/th>/,
      /john.*111122223333/,
      /2026-03-10 01:02 to 2026-03-10 02:00/,
      /iam:CreateUser.*<small>1,200<\/small>/,
      /AccessDenied/,
    ],
    [],
  ],
  [
    'nothing that could be judged',
    { ...all, scored: { ...withoutLabels, judged: 0, flagged: 0, top: [], bins: [] } },
    [/<h1>Nothing could be judged\.<\/h1>/, /They are not cleared/],
    [/None|NaN|The model judged|<h2>Scores/],
  ],
  [
    'a threshold among the highest scores',
    { ...all, scored: { ...withoutLabels, threshold: 12.5 } },
    [/>flagged: below the threshold 12\.50</],
    [/>threshold 12\.50</],
  ],
  [
    'a threshold below all scores',
    { ...all, scored: { ...withoutLabels, threshold: -1000 } },
    [/>threshold −1000\.00</],
    [/>flagged<\/text>/],
  ],
  [
    'one pair',
    { ...all, scored: { ...scored, flagged: 1, judged: 1, unseen: 0, sparse: 0, unjudged: [] } },
    [/1 pair<\/em> of 1 does not fit/, /every entity is known/],
    [/<h2>Not judged/],
  ],
  [
    'no calibration',
    { ...all, scored: withoutLabels, trained: { hyperparameters: [] } },
    [/17 pairs/],
    [/NaN|undefined/, /AUC/],
  ],
  [
    'no calibration and not scored',
    { ...trainedOnly, trained: { hyperparameters: [] } },
    [/Nothing has been scored yet/],
    [/NaN/],
  ],
  [
    'everything in one score',
    { ...all, scored: { ...withoutLabels, bins: [{ from: 1, to: 2, normal: 5, attack: 0 }] } },
    [/<rect/],
    [/NaN|Infinity/],
  ],
  ['no bin at all', { ...all, scored: { ...withoutLabels, bins: [] } }, [/do not fit/], [/NaN|Infinity/]],
  [
    'a threshold set by hand',
    { ...all, scored: withoutBudget() },
    [/set by hand: it does not say how many attacks/],
    [/alerts? per day/],
  ],
  [
    'a rule that is better',
    { ...all, trained: { hyperparameters: [], calibrated: beaten() } },
    [/no better than “same \/16”/, /tile bad/],
    [],
  ],
]

function unjudgedAttacks() {
  return { precision: 0, kinds: [{ kind: 'red team', attacks: 5, flagged: 0 }] }
}

function withoutBudget() {
  return { ...scored, alertsPerDay: null }
}

function beaten() {
  const calibrated = all.trained?.calibrated ?? assert.fail()
  return { ...calibrated, auc: 0.6 }
}

for (const [what, data, says, not] of variants)
  test(`a page for ${what}`, async () => {
    const page = await pageOf(data)
    for (const text of says) assert.match(page, text)
    const shown = page.replace(/<script[^>]*>[\s\S]*<\/script>/, '')
    for (const text of [...not, /\bNaN\b/, />undefined</, /\[object/]) assert.doesNotMatch(shown, text)
  })

test('equal data, equal bytes', async () => assert.equal(await pageOf(sampleData()), await pageOf(sampleData())))

test('one file that loads nothing, with the only style sheet and the only script allowed by their hashes', async () => {
  const page = await pageOf(all)
  assert.doesNotMatch(page, /<link|<img|<iframe|<object|<base|@import|url\(|javascript:|\son\w+="|\sstyle=/i)
  assert.doesNotMatch(page.replaceAll('http://www.w3.org/', ''), /(src|href)=|\b(fetch|import|eval|innerHTML)\b/)
  assert.match(
    page,
    /default-src &#39;none&#39;; style-src &#39;sha256-[\w+/=]+&#39;; script-src &#39;sha256-[\w+/=]+&#39;; base-uri/,
  )
  for (const name of ['style', 'script']) {
    const found = [...page.matchAll(new RegExp(`<${name}[^>]*>([\\s\\S]*?)</${name}>`, 'g'))]
    assert.equal(found.length, 1)
    const hash = createHash('sha256')
      .update(found[0]?.[1] ?? '')
      .digest('base64')
    assert.ok(page.includes(`${name}-src &#39;sha256-${hash}&#39;`))
  }
})

test('what strangers wrote stays text', async () => {
  const evil = '"><script>alert(1)</script><img src=x onerror=alert(2)>\u202e'
  const page = await pageOf({
    ...all,
    run: { ...all.run, logs: evil, accounts: [evil], regions: [evil], sourceName: evil },
    extracted: { ...all.extracted, entity: evil, dropped: [{ reason: evil, events: 1 }] },
    trained: { ...all.trained, hyperparameters: [[evil, evil]] },
    scored: {
      ...scored,
      of: evil,
      allow: [evil],
      top: scored.top.map((anomaly) => ({ ...anomaly, entity: evil, label: evil, allowed: evil, flagged: false })),
      unjudged: [{ entity: evil, verdict: 'unseen-entity', addresses: 1, busiest: [], accesses: 1 }],
      attacks: { ...(scored.attacks ?? assert.fail()), kinds: [{ kind: evil, attacks: 1, flagged: 1 }] },
    },
    next: evil,
  })
  assert.doesNotMatch(page, /<script>|<img/)
  assert.equal(page.match(/<script/g)?.length, 1)
})
