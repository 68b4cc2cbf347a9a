import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as client from '@aws-sdk/client-s3'
import fc from 'fast-check'
import { parseXml, toXml } from '../xml.ts'
import { botocoreModel, haveModels, patternOf } from './botocore.ts'
import { checkValue, checkXml } from './check.ts'
import { sdkModel } from './sdk.ts'
import type { Shape } from './shape.ts'

const shape = (kind: Shape['kind'], more: Partial<Shape> = {}): Shape => ({
  name: 'S',
  kind,
  members: {},
  required: [],
  ...more,
})
const member = (of: Shape) => ({ shape: () => of, place: 'body' as const, wire: 'x', flattened: false })

const person = shape('structure', {
  members: { Name: member(shape('string', { min: 2, max: 3 })), Age: member(shape('integer', { min: 0, max: 150 })) },
  required: ['Name'],
})

describe('values', () => {
  for (const [what, of, value, problem] of [
    ['a string', shape('string'), 'x', undefined],
    ['a string too short', shape('string', { min: 2 }), 'x', /S is 1, less than 2/],
    ['length counts code points', shape('string', { max: 2 }), '😀😀', undefined],
    ['an enumeration', shape('string', { enum: ['A', 'B'] }), 'C', /"C" is none of A, B/],
    ['a pattern', shape('string', { pattern: patternOf('[a-z]+') }), 'abc1', /does not match/],
    ['a number as text', shape('integer'), '1', /not a number/],
    ['a fraction', shape('integer'), 1.5, /not an integer/],
    ['a boolean as text', shape('boolean'), 'true', /not a boolean/],
    ['a time', shape('timestamp'), 'yesterday', /not a time/],
    ['a list too long', shape('list', { max: 1, item: member(shape('string')) }), ['a', 'b'], /S is 2, more than 1/],
    ['an item', shape('list', { item: member(shape('string')) }), ['a', 1], /S\[1\] is not a string/],
    ['a value of a map', shape('map', { item: member(shape('string')) }), { a: 1 }, /S.a is not a string/],
    ['a structure', person, { Name: 'Ada', Age: 36 }, undefined],
    ['a member that is missing', person, { Age: 36 }, /S.Name is required/],
    ['a member that is unknown', person, { Name: 'Ada', name: 'x' }, /S.name is not a member/],
    ['two members of a union', { ...person, union: true }, { Name: 'Ada', Age: 1 }, /exactly one member/],
  ] as [string, Shape, unknown, RegExp | undefined][])
    test(what, () => {
      const problems = checkValue(of, value)
      if (problem === undefined) assert.deepEqual(problems, [])
      else assert.match(problems.join('\n'), problem)
    })
})

describe('patterns', () => {
  for (const [pattern, fits, fitsNot] of [
    ['[a-z]+', 'abc', 'abc1'],
    ['\\A[a-z]+\\z', 'abc', '1abc'],
    ['[\\p{Alnum}_]+', 'aZ9_', '-'],
    ['\\p{Alnum}+', 'aZ9', '-'],
    ['[a-zA-Z0-9\\-\\_]+', 'a-_', 'a.'],
    ['^a|b$', 'b', 'ab'],
  ] as const)
    test(pattern, () => {
      assert.match(fits, patternOf(pattern))
      assert.doesNotMatch(fitsNot, patternOf(pattern))
    })

  test('every pattern of the models compiles', { skip: !haveModels && 'no models beside the project' }, () => {
    for (const [service, operation] of [
      ['s3control', 'CreateJob'],
      ['athena', 'StartQueryExecution'],
      ['sagemaker', 'CreateTrainingJob'],
      ['sagemaker-runtime', 'InvokeEndpoint'],
    ] as const) {
      const seen = new Set<Shape>()
      const visit = (of: Shape): void => {
        if (seen.has(of)) return
        seen.add(of)
        for (const part of [...Object.values(of.members), ...(of.item ? [of.item] : [])]) visit(part.shape())
      }
      const { input } = botocoreModel(service)(operation) ?? {}
      if (input) visit(input)
      assert.ok(seen.size > 5, service)
    }
  })
})

describe('XML', () => {
  const text = fc.string({ unit: 'grapheme' }).map((s) => s.replace(/[\ud800-\udfff\ufffe\uffff]/g, ''))

  test('any text comes back', () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        const root = parseXml(toXml('Root', { A: a, List: { member: [b, b] } }, 'urn:x'))
        assert.equal(root.attributes.xmlns, 'urn:x')
        assert.deepEqual(
          root.children.map((c) => c.name),
          ['A', 'List'],
        )
        assert.equal(root.children[0]?.text, a)
        assert.deepEqual(
          root.children[1]?.children.map((c) => c.text),
          [b, b],
        )
      }),
    )
  })

  for (const wrong of ['', '<a>', '<a></b>', '<a/><b/>', 'text', '<a', '</a>', '<a><b></a></b>'])
    test(`malformed: ${wrong}`, () => assert.throws(() => parseXml(wrong)))

  const s3 = sdkModel(client)
  const message = (body: string) => ({
    headers: {},
    uri: { Bucket: 'b', Key: 'k' },
    query: new Map([['uploadId', 'u']]),
    body,
  })
  for (const [body, problem] of [
    [
      '<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>x</ETag></Part></CompleteMultipartUpload>',
      undefined,
    ],
    [
      '<CompleteMultipartUpload><Part><PartNumber>one</PartNumber></Part></CompleteMultipartUpload>',
      /PartNumber is not a number/,
    ],
    ['<CompleteMultipartUpload><Teil/></CompleteMultipartUpload>', /Teil is not a member/],
    ['<CompleteMultipartUpload>', /malformed/],
  ] as const)
    test(body, () => {
      const operation = s3('CompleteMultipartUpload')
      assert.ok(operation)
      const problems = checkXml(operation, 'input', message(body)).join('\n')
      if (problem === undefined) assert.equal(problems, '')
      else assert.match(problems, problem)
    })
})
