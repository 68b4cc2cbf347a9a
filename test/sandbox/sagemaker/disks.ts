import { invalid } from './errors.ts'

/** Families of the API's lists with instance store volumes: "Instance store volume limits", EC2 user guide. */
const LOCAL =
  'c5d c6gd dl1 g4dn g5 g6 g6e g7e m5d m6gd p3dn p4d p4de p5 p5e p5en p6-b200 p6-b300 p6e-gb200 r5d r6gd r7gd trn1 trn1n trn2'.split(
    ' ',
  )

/** "You can't request a VolumeKmsKeyId when using an instance type with local storage", API reference. @throws AwsError */
export function checkDiskKey(member: string, type: string | undefined, key: string | undefined): void {
  if (key === undefined || !LOCAL.includes(type?.split('.')[1] ?? '')) return
  throw invalid(`${member} cannot be specified for instance type ${type}, which has local storage.`)
}
