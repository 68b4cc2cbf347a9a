/** 0.1234 → `12.3 %`; small shares keep two digits that count. */
export function share(value: number): string {
  const percent = value * 100
  if (percent === 0 || percent >= 99.95) return `${Math.round(percent)} %`
  return `${percent >= 10 ? trimmed(percent.toFixed(1)) : trimmed(percent.toPrecision(2))} %`
}

const trimmed = (text: string): string => (text.includes('.') ? text.replace(/\.?0+$/, '') : text)

/** A score, with a true minus sign. */
export const score = (value: number): string =>
  value
    .toFixed(2)
    .replace('-', '−')
    .replace(/^−(0\.00)$/, '$1')

/** AUC to three places. */
export const auc = (value: number): string => value.toFixed(3)

/** `2 Mar 2026` of an ISO time; with the hour when it is not midnight. */
export function day(iso: string): string {
  const time = new Date(iso)
  const date = `${time.getUTCDate()} ${MONTHS[time.getUTCMonth()]} ${time.getUTCFullYear()}`
  const clock = iso.slice(11, 16)
  return clock === '00:00' ? date : `${date} ${clock}`
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const
