import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digestIn, shippedTemplate } from '../../scripts/setup/parameters.ts'

test('the template names itself', async () => assert.match(digestIn(await shippedTemplate()), /^[0-9a-f]{12}$/))
