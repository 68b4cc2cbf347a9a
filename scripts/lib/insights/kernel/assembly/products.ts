import { add, bytes, matrix, Table, weightsOf, width } from './memory'

/** Turns a layer's weights to rows by input. */
export function transpose(layer: Table): void {
  for (let o: u32 = 0; o < width; o++)
    for (let i: u32 = 0; i < width; i++)
      store<f32>(matrix + ((i * width + o) << 2), load<f32>(weightsOf(layer, o) + (i << 2)))
}

/** Gathers a layer's weights, row by output. */
export function gather(layer: Table): void {
  for (let o: u32 = 0; o < width; o++) memory.copy(matrix + bytes(o), weightsOf(layer, o), bytes(1))
}

/**
 * y = xᵀ M + bias for `count` vectors x, M being the matrix, row by input; without a bias where that is 0. Four vectors by eight outputs at a time: every
 * number that is loaded serves several multiplications. Vectors up to the next multiple of four are computed, too.
 */
export function multiply(bias: usize, x: usize, y: usize, count: u32): void {
  const row = bytes(1)
  const zero = f32x4.splat(0)
  for (let n: u32 = 0; n < count; n += 4) {
    const x0 = x + bytes(n)
    const x1 = x0 + row
    const x2 = x1 + row
    const x3 = x2 + row
    for (let o: usize = 0; o < row; o += 32) {
      let a0 = bias ? v128.load(bias + o) : zero
      let b0 = bias ? v128.load(bias + o, 16) : zero
      let a1 = a0
      let b1 = b0
      let a2 = a0
      let b2 = b0
      let a3 = a0
      let b3 = b0
      let m = matrix + o
      for (let i: usize = 0; i < row; i += 4) {
        const ma = v128.load(m)
        const mb = v128.load(m, 16)
        const s0 = v128.load_splat<f32>(x0 + i)
        const s1 = v128.load_splat<f32>(x1 + i)
        const s2 = v128.load_splat<f32>(x2 + i)
        const s3 = v128.load_splat<f32>(x3 + i)
        a0 = f32x4.add(a0, f32x4.mul(ma, s0))
        b0 = f32x4.add(b0, f32x4.mul(mb, s0))
        a1 = f32x4.add(a1, f32x4.mul(ma, s1))
        b1 = f32x4.add(b1, f32x4.mul(mb, s1))
        a2 = f32x4.add(a2, f32x4.mul(ma, s2))
        b2 = f32x4.add(b2, f32x4.mul(mb, s2))
        a3 = f32x4.add(a3, f32x4.mul(ma, s3))
        b3 = f32x4.add(b3, f32x4.mul(mb, s3))
        m += row
      }
      const to = y + bytes(n) + o
      v128.store(to, a0)
      v128.store(to, b0, 16)
      v128.store(to + row, a1)
      v128.store(to + row, b1, 16)
      v128.store(to + 2 * row, a2)
      v128.store(to + 2 * row, b2, 16)
      v128.store(to + 3 * row, a3)
      v128.store(to + 3 * row, b3, 16)
    }
  }
}

/** A layer's gradients, given those of its `count` outputs y and its inputs x: row o is Σ y[o] x, and after all rows Σ y. */
export function addGradients(gradients: usize, y: usize, x: usize, count: u32): void {
  const row = bytes(1)
  const end = bytes(count)
  for (let o: usize = 0; o < row; o += 16)
    for (let i: usize = 0; i < row; i += 32) {
      let a0 = f32x4.splat(0)
      let b0 = a0
      let a1 = a0
      let b1 = a0
      let a2 = a0
      let b2 = a0
      let a3 = a0
      let b3 = a0
      for (let at: usize = 0; at < end; at += row) {
        const xa = v128.load(x + at + i)
        const xb = v128.load(x + at + i, 16)
        const s0 = v128.load_splat<f32>(y + at + o)
        const s1 = v128.load_splat<f32>(y + at + o, 4)
        const s2 = v128.load_splat<f32>(y + at + o, 8)
        const s3 = v128.load_splat<f32>(y + at + o, 12)
        a0 = f32x4.add(a0, f32x4.mul(xa, s0))
        b0 = f32x4.add(b0, f32x4.mul(xb, s0))
        a1 = f32x4.add(a1, f32x4.mul(xa, s1))
        b1 = f32x4.add(b1, f32x4.mul(xb, s1))
        a2 = f32x4.add(a2, f32x4.mul(xa, s2))
        b2 = f32x4.add(b2, f32x4.mul(xb, s2))
        a3 = f32x4.add(a3, f32x4.mul(xa, s3))
        b3 = f32x4.add(b3, f32x4.mul(xb, s3))
      }
      const to = gradients + (o >> 2) * row + i
      v128.store(to, a0)
      v128.store(to, b0, 16)
      v128.store(to + row, a1)
      v128.store(to + row, b1, 16)
      v128.store(to + 2 * row, a2)
      v128.store(to + 2 * row, b2, 16)
      v128.store(to + 3 * row, a3)
      v128.store(to + 3 * row, b3, 16)
    }
  const biases = gradients + bytes(width)
  memory.fill(biases, 0, row)
  for (let at: usize = 0; at < end; at += row) add(biases, y + at)
}


/**
 * y = W x + b for `count` vectors x of `dim` numbers, summed in double precision, as scores are: the matrix has a row by input and the bias one number by
 * output, each filled up to a multiple of four. Vectors up to the next multiple of four are computed, too, and three numbers after them are spoiled.
 */
export function multiplyDouble(matrix: usize, bias: usize, x: usize, y: usize, dim: u32, count: u32): void {
  const row = <usize>dim << 2
  const next = <usize>((dim + 3) & ~3) << 3
  for (let n: u32 = 0; n < count; n += 4) {
    const x0 = x + <usize>n * row
    const x1 = x0 + row
    const x2 = x1 + row
    const x3 = x2 + row
    // From the last outputs to the first: what is written after the end of a vector is replaced by what belongs there.
    for (let o: i32 = (dim - 1) & ~3; o >= 0; o -= 4) {
      let a0 = v128.load(bias + (o << 3))
      let b0 = v128.load(bias + (o << 3), 16)
      let a1 = a0
      let b1 = b0
      let a2 = a0
      let b2 = b0
      let a3 = a0
      let b3 = b0
      let m = matrix + (o << 3)
      for (let i: usize = 0; i < row; i += 4) {
        const ma = v128.load(m)
        const mb = v128.load(m, 16)
        const s0 = f64x2.splat(<f64>load<f32>(x0 + i))
        const s1 = f64x2.splat(<f64>load<f32>(x1 + i))
        const s2 = f64x2.splat(<f64>load<f32>(x2 + i))
        const s3 = f64x2.splat(<f64>load<f32>(x3 + i))
        a0 = f64x2.add(a0, f64x2.mul(ma, s0))
        b0 = f64x2.add(b0, f64x2.mul(mb, s0))
        a1 = f64x2.add(a1, f64x2.mul(ma, s1))
        b1 = f64x2.add(b1, f64x2.mul(mb, s1))
        a2 = f64x2.add(a2, f64x2.mul(ma, s2))
        b2 = f64x2.add(b2, f64x2.mul(mb, s2))
        a3 = f64x2.add(a3, f64x2.mul(ma, s3))
        b3 = f64x2.add(b3, f64x2.mul(mb, s3))
        m += next
      }
      const to = y + <usize>n * row + (<usize>o << 2)
      storeFour(to, a0, b0)
      storeFour(to + row, a1, b1)
      storeFour(to + 2 * row, a2, b2)
      storeFour(to + 3 * row, a3, b3)
    }
  }
}

@inline
function storeFour(to: usize, first: v128, last: v128): void {
  v128.store(to, v128.shuffle<i32>(f32x4.demote_f64x2_zero(first), f32x4.demote_f64x2_zero(last), 0, 1, 4, 5))
}
