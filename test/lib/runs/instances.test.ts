import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { hasOwnDisk } from '../../../scripts/lib/runs/cost.ts'

describe('disks of an instance', () => {
  const own = 'c5d c6gd dl1 g4dn g5 g6 g6e g7e m5d m6gd p3dn p4d p4de p5 p5en p6-b200 r5d r7gd trn1 trn1n trn2'
  for (const family of own.split(' '))
    it(`${family}: its own`, () => assert.equal(hasOwnDisk(`ml.${family}.2xlarge`), true))
  for (const family of 'c4 c5 c5n c6gn c6i c6in inf1 inf2 m4 m5 m6i m7i m8g p2 p3 r5 r8g t2 t3'.split(' '))
    it(`${family}: of EBS`, () => assert.equal(hasOwnDisk(`ml.${family}.2xlarge`), false))
})
