import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { resolve } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseArguments } from '../../../scripts/lib/cli/arguments.ts'
import { nextCommand } from '../../../scripts/lib/runs/next.ts'
import type { Request } from '../../../scripts/lib/runs/request.ts'
import { command as stage } from '../../../scripts/stage/command.ts'
import { REQUEST } from './fixture/ledger.ts'

const cases: [uri: string, command: string][] = [
  [`${resolve('workspace')}/runs/r-1`, 'npx zx scripts/train.mjs --run r-1'],
  ['/data/runs/r-1', 'npx zx scripts/train.mjs --run r-1 --workspace /data'],
  ['/data/runs/old/runs/r-1', 'npx zx scripts/train.mjs --run r-1 --workspace /data/runs/old'],
  ['s3://staging/prestage/runs/r-1', 'npx zx scripts/train.mjs --run r-1 --workspace s3://staging/prestage'],
  ["/my data/it's/runs/r-1", `npx zx scripts/train.mjs --run r-1 --workspace '/my data/it'\\''s'`],
]

for (const [uri, command] of cases)
  test(`the next command for a run in ${uri}`, () =>
    assert.equal(nextCommand('train', { id: 'r-1', uri, request: REQUEST }), command))

test('a shell reads the workspace as it is', () =>
  fc.assert(
    fc.property(fc.stringMatching(/^[^\0\n\r]{1,20}$/), (name) => {
      fc.pre(Buffer.from(name).toString() === name)
      const command = nextCommand('train', { id: 'r-1', uri: `/w/${name}/runs/r-1`, request: REQUEST })
      const words = command.slice('npx zx scripts/train.mjs '.length)
      assert.equal(
        execFileSync('sh', ['-c', `printf '%s|' ${words}`], { encoding: 'utf8' }),
        `--run|r-1|--workspace|/w/${name}|`,
      )
    }),
    { numRuns: 50 },
  ))

const staging: [change: Partial<Request>, flags: string][] = [
  [{}, '--source waf --logs /logs --from 2026-11-20T00:00:00Z --to 2026-11-21T00:00:00Z'],
  [
    { accounts: ['012345678901', '2'], regions: ['us-east-1'] },
    '--account 012345678901 --account 2 --region us-east-1',
  ],
  [{ keys: 'digest' }, '--keys digest'],
  [{ keys: 'metadata' }, '--keys metadata'],
  [{ keys: 'inventory', keysFrom: 's3://inv/manifest.json' }, '--keys inventory --inventory s3://inv/manifest.json'],
  [{ keys: 'file', keysFrom: '/keys#1.txt#0a1b2c' }, "--keys-file '/keys#1.txt'"],
]

for (const [change, flags] of staging)
  test(`staging again: ${flags}`, () => {
    const command = nextCommand('stage', { id: 'r-1', uri: '/data/runs/r-1', request: { ...REQUEST, ...change } })
    assert.ok(command.endsWith(`${flags} --workspace /data`), command)
    assert.doesNotThrow(() => parseArguments(command.split(' ').slice(3), stage.options))
  })
