import { AwsError } from '../http.ts'

/** The texts are AWS's, as people have quoted them; see README.md for those that are only believed. */
export const invalid = (message: string): AwsError => new AwsError('ValidationException', 400, message)

export const inUse = (message: string): AwsError => new AwsError('ResourceInUse', 400, message)

export const limitExceeded = (message: string): AwsError => new AwsError('ResourceLimitExceeded', 400, message)

/** @param what as AWS calls it: `endpoint`, `endpoint configuration`, `model` */
export const exists = (what: string, arn: string): AwsError =>
  invalid(`Cannot create already existing ${what} "${arn}".`)

export const missing = (what: string, arn: string): AwsError => invalid(`Could not find ${what} "${arn}".`)
