import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withTyped } from '../../../scripts/lib/cli/run.ts'
import { faultIn } from '../../support/command-lines.ts'
import { commandOf, scriptNames } from '../../support/commands.ts'
import { runScript } from '../../support/run-script.ts'
import { tempFolder } from '../../support/temp.ts'

const TYPED = {
  config: 'other.yaml',
  profile: 'audit',
  awsRegion: 'eu-west-1',
  endpointUrl: 'http://127.0.0.1:9000',
  stack: 'mine',
  workspace: 's3://org-staging/p',
}
const AWS = '--profile audit --aws-region eu-west-1 --endpoint-url http://127.0.0.1:9000 --stack mine'

const cases: [text: string, completed: string][] = [
  ['nothing to type', 'nothing to type'],
  [
    'npx zx scripts/train.mjs --run a',
    `npx zx scripts/train.mjs --config other.yaml ${AWS} --workspace s3://org-staging/p --run a`,
  ],
  ['npx zx scripts/simulate.mjs makes some', 'npx zx scripts/simulate.mjs --config other.yaml makes some'],
  ['npx zx scripts/inventory.mjs', `npx zx scripts/inventory.mjs --config other.yaml ${AWS}`],
  [
    'one: npx zx scripts/setup.mjs --stack x --delete, then npx zx scripts/setup.mjs --profile=b',
    `one: npx zx scripts/setup.mjs --config other.yaml ${AWS.replace(' --stack mine', '')} --stack x --delete, then npx zx scripts/setup.mjs --config other.yaml ${AWS.replace('--profile audit ', '')} --profile=b`,
  ],
]

for (const [text, completed] of cases)
  test(`printed commands repeat what was typed: ${text}`, () => assert.equal(withTyped(text, TYPED), completed))

test('printed commands: what was not typed is not repeated, and a shell reads the rest as it is', () => {
  const text = 'npx zx scripts/score.mjs --run a'
  assert.equal(withTyped(text, { run: 'b', account: ['1'] }), text)
  assert.equal(withTyped(text, { profile: "o'me" }), "npx zx scripts/score.mjs --profile 'o'\\''me' --run a")
})

for (const name of scriptNames)
  test(`printed commands: ${name} takes every option that is repeated, and all of them that it has`, async () => {
    const line = withTyped(`npx zx scripts/${name}.mjs`, TYPED)
    const { options } = await commandOf(name)
    assert.doesNotMatch((await faultIn(line.replace('npx zx ', ''))) ?? '', /unknown option/)
    assert.equal(line.split(' --').length - 1, Object.keys(TYPED).filter((key) => key in options).length)
  })

test('a hint repeats what was typed', async () => {
  const cwd = tempFolder()
  const args = ['--run', 'latest', '--workspace', './w', '--profile', 'audit', '--aws-region', 'eu-west-1']
  const { code, stderr } = await runScript('extract', args, { cwd })
  assert.equal(code, 2)
  assert.match(stderr, /npx zx scripts\/stage\.mjs --profile audit --aws-region eu-west-1 --workspace \.\/w --help/)
})
