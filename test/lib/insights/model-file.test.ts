import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { UserError } from '../../../scripts/lib/cli/errors.ts'
import { scoreAll } from '../../../scripts/lib/insights/encoder.ts'
import {
  digestOf,
  loadModel,
  type ModelDescription,
  modelIn,
  packModel,
  type Trained,
} from '../../../scripts/lib/insights/model.ts'
import { entityRow } from '../../../scripts/lib/insights/network.ts'
import { readSafetensors, writeSafetensors } from '../../../scripts/lib/insights/safetensors.ts'
import { tempFolder } from '../../support/temp.ts'
import { DESCRIPTION, someModel } from './tiny.ts'

const folder = tempFolder()

test('tensors survive being written, to the bit', () =>
  fc.assert(
    fc.property(fc.array(fc.array(fc.float(), { maxLength: 9 }), { maxLength: 4 }), (lists) => {
      const tensors = new Map(
        lists.map((list, i) => [`t${i}`, { shape: [list.length], data: Float32Array.from(list) }]),
      )
      assert.deepEqual(readSafetensors(writeSafetensors(tensors)), tensors)
    }),
  ))

test('the file is what the format says', () => {
  const file = Buffer.from(
    writeSafetensors(
      new Map([
        ['a', { shape: [2, 1], data: Float32Array.from([1, -2]) }],
        ['b', { shape: [], data: Float32Array.from([0.5]) }],
      ]),
    ),
  )
  const length = Number(file.readBigUInt64LE())
  assert.equal((8 + length) % 8, 0)
  assert.deepEqual(JSON.parse(file.toString('utf8', 8, 8 + length)), {
    a: { dtype: 'F32', shape: [2, 1], data_offsets: [0, 8] },
    b: { dtype: 'F32', shape: [], data_offsets: [8, 12] },
  })
  assert.equal(file.subarray(8 + length).toString('hex'), '0000803f000000c00000003f')
})

const withHeader = (header: string, numbers = 8): Buffer => {
  const file = Buffer.alloc(8 + header.length + numbers)
  file.writeBigUInt64LE(BigInt(header.length))
  file.write(header, 8)
  return file
}
const broken: [name: string, file: Buffer, why: RegExp][] = [
  ['empty', Buffer.alloc(0), /shorter/],
  ['cut', withHeader('{}').subarray(0, 9), /shorter/],
  ['a huge header', Buffer.from('ffffffffffffffff00', 'hex'), /shorter/],
  ['no JSON', withHeader('{'), /JSON/],
  ['another type', withHeader('{"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}'), /tensor a/],
  ['beyond the end', withHeader('{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}'), /tensor a/],
  ['another size', withHeader('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}}'), /tensor a/],
  ['no offsets', withHeader('{"a":{"dtype":"F32","shape":[1]}}'), /tensor a/],
  [
    'the same numbers twice',
    withHeader(
      '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
    ),
    /share/,
  ],
]
for (const [name, file, why] of broken)
  test(`no safetensors: ${name}`, () => assert.throws(() => readSafetensors(file), why))

test('a model read back scores as before, and knows its entities', async () => {
  const trained = someModel()
  const path = join(folder, 'model.tar.gz')
  writeFileSync(path, await packModel(trained))
  const model = await loadModel(path)
  assert.deepEqual(model.description, DESCRIPTION)
  assert.deepEqual([model.has('john%2Edoe'), model.has('john.doe'), model.has('Zoë%2C')], [true, false, true])
  assert.deepEqual([model.events('john%2Edoe'), model.events('nobody')], [20, 0])
  for (const entity of ['john%2Edoe', 'nobody'])
    for (const ip of [0, 1, 0xffffffff]) {
      const row = Uint32Array.of(entityRow(entity, 7))
      const [expected] = scoreAll(trained.weights, row, Uint32Array.of(ip))
      assert.ok(Math.abs(model.score(entity, ip) - expected!) < 1e-6)
    }
  const kept = model.ipEmbedding(1)
  const copy = kept.slice()
  model.score('nobody', 2)
  assert.deepEqual(kept, copy)
})

test('the same model has the same bytes', async () => {
  assert.equal(digestOf(await packModel(someModel())), digestOf(await packModel(someModel())))
})

test('tar can open it, and what is in it can be read', async () => {
  const path = join(folder, 'listed.tar.gz')
  writeFileSync(path, await packModel(someModel()))
  const listed = execFileSync('tar', ['-tzf', path], { encoding: 'utf8' })
  assert.equal(listed, 'model.json\nentities.csv\nweights.safetensors\n')
  execFileSync('tar', ['-xzf', path, '-C', folder])
  assert.equal(readFileSync(join(folder, 'entities.csv'), 'utf8'), 'john%2Edoe,20\nZoë%2C,10\n')
  assert.equal(JSON.parse(readFileSync(join(folder, 'model.json'), 'utf8')).hyperparameters.vector_dim, 5)
})

for (const [entity, events] of [
  ['a', Number.NaN],
  ['a', -1],
  ['a,b', 2],
  ['', 2],
] as const)
  test(`entities that are none: ${entity},${events}`, async () => {
    const bytes = await packModel({ ...someModel(), entities: new Map([...someModel().entities, [entity, events]]) })
    await assert.rejects(modelIn(bytes, 'm'), /^UserError: m is not a model.*entities\.csv: line 3/)
  })

test('no model there', () => assert.rejects(loadModel(join(folder, 'none.tar.gz')), UserError))

const descriptions: [change: object, says: string][] = [
  [{ version: 2 }, 'version: expected 1, found 2'],
  [{ seeds: 3 }, 'unknown member "seeds"'],
  [{ seed: '3' }, 'seed: expected number, found "3"'],
  [{ prefixes: { lengths: [3, 33], rows: 16 } }, 'prefixes.lengths[1]: expected <=32, found 33'],
  [{ prefixes: { lengths: [3], rows: 0 } }, 'prefixes.rows: expected >0, found 0'],
  [{ prefixes: { lengths: [3], rows: 12 } }, 'prefixes.rows: expected a power of two, found 12'],
  [{ trainedOn: { pairs: 1.5, entities: 2 } }, 'trainedOn.pairs: expected whole number, found 1.5'],
  [{ trainedOn: [] }, 'trainedOn: expected object, found array'],
  [{ hyperparameters: { vector_dim: '5' } }, 'hyperparameters.vector_dim: expected number, found "5"'],
]
for (const [change, says] of descriptions)
  test(`a description that does not fit: ${says}`, async () => {
    const path = join(folder, 'other.tar.gz')
    const description = { ...DESCRIPTION, ...change } as ModelDescription
    await assert.rejects(modelIn(await packModel({ ...someModel(), description }), path), {
      message: `${path} is not a model of this tool: model.json: ${says}`,
    })
  })

for (const [hyperparameters, says] of [
  [{ vector_dims: 5 }, /: vector_dims is no hyperparameter of IP Insights \(did you mean vector_dim\?\)$/],
  [{ constructor: 5 }, /: constructor is no hyperparameter/],
  [[], /: num_entity_vectors is required$/],
] as const)
  test(`hyperparameters that are none: ${JSON.stringify(hyperparameters)}`, async () => {
    const description = { ...DESCRIPTION, hyperparameters } as unknown as ModelDescription
    await assert.rejects(modelIn(await packModel({ ...someModel(), description }), 'm'), says)
  })

/** A tar of one file of so many megabytes of zeros, packed to next to nothing; before it stand other bytes. */
function swelling(name: string, megabytes: number, before: Uint8Array = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(512)
  header.write(name)
  header.write('0000644\0', 100)
  header.write(`${(megabytes * 2 ** 20).toString(8).padStart(11, '0')}\0`, 124)
  header.write('        0', 148)
  header.write('ustar\x0000', 257)
  const sum = header.reduce((all, byte) => all + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  // Parts that were packed one by one are unpacked as one.
  const megabyte = gzipSync(Buffer.alloc(2 ** 20))
  return Buffer.concat([before, gzipSync(header), ...Array.from({ length: megabytes }, () => megabyte)])
}

/** The archive of a model up to its weights, in which nothing says that it ends there. */
async function headOf(trained: Trained): Promise<Buffer> {
  const tar = gunzipSync(await packModel(trained))
  return gzipSync(tar.subarray(0, tar.indexOf('weights.safetensors')))
}

const GIGABYTE = 1024
const swollen: [what: string, bytes: () => Buffer | Promise<Buffer>, says: RegExp][] = [
  ['a description', () => swelling('model.json', GIGABYTE), /model\.json: 1073741824 bytes are more than it can have/],
  ['entities', () => swelling('entities.csv', GIGABYTE), /entities\.csv: 1073741824 bytes are more than/],
  [
    'weights before a description',
    () => swelling('weights.safetensors', GIGABYTE),
    /weights\.safetensors comes before model\.json/,
  ],
  [
    'more weights than are described',
    async () => swelling('weights.safetensors', GIGABYTE, await headOf(someModel())),
    /weights\.safetensors: 1073741824 bytes are more than/,
  ],
  ['something else', () => swelling('readme.txt', GIGABYTE), /readme\.txt is no part of one/],
  [
    'zeros after the end',
    async () => {
      const zeros = gzipSync(Buffer.alloc(2 ** 24))
      return Buffer.concat([await packModel(someModel()), ...Array.from({ length: 130 }, () => zeros)])
    },
    /unpacks to more than 2147483648 bytes/,
  ],
]
for (const [what, bytes, says] of swollen)
  test(`a small file that swells is refused before it fills the memory: ${what}`, async () => {
    const given = await bytes()
    const before = process.resourceUsage().maxRSS
    await assert.rejects(modelIn(given, 'm'), says)
    const grown = process.resourceUsage().maxRSS - before
    assert.ok(grown < 256 * 1024, `${grown} KB more`)
  })

test('a damaged model is named', async () => {
  const path = join(folder, 'damaged.tar.gz')
  const bytes = await packModel(someModel())
  const other = {
    ...someModel(),
    description: { ...DESCRIPTION, hyperparameters: { ...DESCRIPTION.hyperparameters, vector_dim: 6 } },
  }
  for (const content of [Buffer.from('hello'), bytes.subarray(0, 200), Buffer.alloc(0), await packModel(other)]) {
    writeFileSync(path, content)
    await assert.rejects(loadModel(path), (error) => error instanceof UserError && error.message.includes(path))
  }
})
