import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { athenaSandbox, linesAt, linesIn } from '../support/athena-sandbox.ts'
import { runScript } from '../support/run-script.ts'
import { tempFolder } from '../support/temp.ts'
import { cases, parquet, SQL_FOLDER, usual, WINDOW } from './own-cases.ts'

describe('a source that prestage.yaml defines or changes gives the pairs of a straight count on both engines', async () => {
  const { sandbox, run } = await athenaSandbox()
  for (const [i, { what, source = `app${i}`, yaml, key, body, choices = usual }] of cases.entries())
    it(what, async () => {
      const folder = tempFolder()
      const config = join(folder, 'prestage.yaml')
      mkdirSync(join(folder, 'mail-sql'))
      for (const [name, text] of Object.entries(SQL_FOLDER)) writeFileSync(join(folder, 'mail-sql', name), text)
      writeFileSync(config, `sources:\n  ${source}:${yaml}\n`)
      const path = join(folder, 'logs', key)
      mkdirSync(dirname(path), { recursive: true })
      const bytes = typeof body === 'string' ? gzipSync(`${body}\n`) : body
      writeFileSync(path, bytes)
      sandbox.s3.put('org-logs', `${source}/${key}`, bytes)
      const here = async (script: string, args: readonly string[]) => {
        const places = ['--workspace', join(folder, 'runs'), '--config', config, '--output', 'json']
        const ended = await runScript(script, [...places, ...args])
        assert.equal(ended.code, 0, ended.stderr)
        return JSON.parse(ended.stdout)
      }
      const there = async (script: string, args: readonly string[]) => {
        const { result, stderr } = await run(script, ['--config', config, '--yes', ...args])
        assert.ok(result, stderr)
        return result
      }
      await here('stage', ['--source', source, '--logs', join(folder, 'logs'), ...WINDOW])
      await there('stage', ['--source', source, '--logs', `s3://org-logs/${source}`, '--copy', 'direct', ...WINDOW])
      for (const [entity, expected] of choices) {
        const args = ['--entity', entity, '--holdout', '0', '--overwrite']
        const local = await here('extract', args)
        const remote = await there('extract', args)
        assert.ok(expected.length > 30)
        assert.deepEqual(linesIn(join(folder, 'runs/runs', local.run, 'pairs/train')), expected)
        assert.deepEqual(await linesAt(sandbox, remote.run, 'pairs/train/'), expected)
        assert.deepEqual(remote.dropped, local.dropped)
      }
      assert.deepEqual(sandbox.violations, [])
    })

  it('a run in S3 remembers how its pairs were read, and refuses another definition', async () => {
    const config = join(tempFolder(), 'prestage.yaml')
    const define = (address: string) =>
      writeFileSync(
        config,
        `sources:\n  kept:${(cases[1]?.yaml ?? '').replace('address: ip', `address: ${address}`)}\n`,
      )
    define('ip')
    const { key = '', body = '' } = cases[1] ?? {}
    sandbox.s3.put('org-logs', `kept/${key}`, gzipSync(body))
    const places = ['--config', config, '--yes']
    const staged = ['--source', 'kept', '--logs', 's3://org-logs/kept', '--copy', 'direct', ...WINDOW]
    assert.ok((await run('stage', [...places, ...staged])).result)
    assert.ok((await run('extract', [...places, '--holdout', '0'])).result)
    assert.equal((await run('extract', [...places, '--holdout', '0'])).result.repeated, true)
    define('user')
    const { code, stderr } = await run('extract', [...places, '--holdout', '0'])
    assert.equal(code, 2)
    assert.match(stderr, /extract was done with another definition of kept in the configuration file/)
  })

  it('Parquet of another type than the file says is refused by Athena, with the column', async () => {
    const config = join(tempFolder(), 'prestage.yaml')
    const yaml = cases.find(({ what }) => what === 'Parquet, a timestamp in UTC')?.yaml ?? ''
    writeFileSync(config, `sources:\n  typed:${yaml.replace('at: timestamp', 'at: string')}\n`)
    sandbox.s3.put('org-logs', 'typed/app/2026-03-02.parquet', parquet)
    const places = ['--config', config, '--yes']
    const staged = ['--source', 'typed', '--logs', 's3://org-logs/typed', '--copy', 'direct', ...WINDOW]
    assert.ok((await run('stage', [...places, ...staged])).result)
    const { code, stderr } = await run('extract', [...places, '--holdout', '0'])
    assert.equal(code, 1)
    assert.match(stderr, /HIVE_BAD_DATA: Field at's type INT64 in parquet file \S+ is incompatible with type varchar/)
  })

  const broken: [what: string, file: string, change: (text: string) => string, says: RegExp][] = [
    ['names no column', 'accesses.duckdb.sql', (text) => text.replace('mail.peer', 'post.peer'), /post/],
    ['has a placeholder too many', 'accesses.duckdb.sql', (text) => text.replace("'-'", '{{other}}'), /\{\{other\}\}/],
    ['has no drop_reason', 'accesses.duckdb.sql', (text) => text.replace('as drop_reason', 'as reason'), /drop_reason/],
  ]
  for (const [what, file, change, says] of broken)
    it(`a folder of SQL whose text ${what} is refused with its file`, async () => {
      const [folder, { yaml = '', key = '', body = '' } = {}] = [tempFolder(), cases.at(-1)]
      mkdirSync(dirname(join(folder, 'logs', key)), { recursive: true })
      mkdirSync(join(folder, 'mail-sql'))
      writeFileSync(join(folder, 'logs', key), gzipSync(body))
      for (const [name, text] of Object.entries(SQL_FOLDER))
        writeFileSync(join(folder, 'mail-sql', name), name === file ? change(text) : text)
      writeFileSync(join(folder, 'prestage.yaml'), `sources:\n  mail:${yaml}\n`)
      const places = ['--workspace', join(folder, 'runs'), '--config', join(folder, 'prestage.yaml')]
      const staged = await runScript('stage', [
        ...places,
        '--source',
        'mail',
        '--logs',
        join(folder, 'logs'),
        ...WINDOW,
      ])
      assert.equal(staged.code, 0, staged.stderr)
      const { code, stderr } = await runScript('extract', [...places, '--holdout', '0'])
      assert.doesNotMatch(stderr, /this is a bug/)
      assert.equal(code, 1)
      assert.match(stderr, says)
      assert.match(stderr, /mail-sql\/accesses\.duckdb\.sql/)
    })
})
