import { LOG } from '@mk/tensor/runtime'
import { bitsOf } from './bits-of.ts'

const inWgsl = (value: number): string => `0x${bitsOf(value).toString(16)}u`

/**
 * The arithmetic of float32 (IEEE 754, to nearest, ties to even) on bits, in WGSL's whole numbers, which are exact everywhere.
 * WGSL's own floats are not: an implementation may take it that there is no NaN and no infinity, take subnormal numbers for zero,
 * round to either neighbor and fuse (WGSL, section “Floating Point Evaluation”), and drivers do. Every NaN that is computed is 0x7fc00000.
 *
 * Significands have 24 bits, and 3 more below where they are rounded: what is lost below those is kept as a 1 in the last.
 */
export const arithmetic = `const SIGN = 0x80000000u;
const MAGNITUDE = 0x7fffffffu;
const INFINITY = 0x7f800000u;
const NO_NUMBER = 0x7fc00000u;
const LEADING = 0x00800000u;
const FRACTION = 0x007fffffu;
const HALF = ${inWgsl(0.5)};
const ROOT_OF_HALF = ${inWgsl(LOG.sqrtHalf)};

fn isNaN(a: u32) -> bool {
  return (a & MAGNITUDE) > INFINITY;
}

fn order(a: u32) -> i32 {
  let magnitude = i32(a & MAGNITUDE);
  return select(magnitude, -magnitude, a >= SIGN);
}

fn isLess(a: u32, b: u32) -> bool {
  return !isNaN(a) && !isNaN(b) && order(a) < order(b);
}

fn isLessOrEqual(a: u32, b: u32) -> bool {
  return !isNaN(a) && !isNaN(b) && order(a) <= order(b);
}

fn isEqual(a: u32, b: u32) -> bool {
  return !isNaN(a) && !isNaN(b) && order(a) == order(b);
}

fn minimum(a: u32, b: u32) -> u32 {
  if (isNaN(a) || isNaN(b)) { return NO_NUMBER; }
  if (order(a) == order(b)) { return a | b; }
  return select(b, a, order(a) < order(b));
}

fn maximum(a: u32, b: u32) -> u32 {
  if (isNaN(a) || isNaN(b)) { return NO_NUMBER; }
  if (order(a) == order(b)) { return a & b; }
  return select(b, a, order(a) > order(b));
}

fn shiftRight(value: u32, by: u32) -> u32 {
  if (by > 30u) { return u32(value != 0u); }
  return (value >> by) | u32((value & ((1u << by) - 1u)) != 0u);
}

fn rounded(sign: u32, exponent: i32, significand: u32) -> u32 {
  var e = exponent;
  var s = significand;
  if (e < 1) {
    s = shiftRight(s, u32(1 - e));
    e = 1;
  }
  s = s + 3u + ((s >> 3u) & 1u);
  return sign | min((u32(e - 1) << 23u) + (s >> 3u), INFINITY);
}

struct Parts {
  exponent: i32,
  significand: u32,
}

fn split(magnitude: u32) -> Parts {
  if (magnitude >= LEADING) { return Parts(i32(magnitude >> 23u), (magnitude & FRACTION) | LEADING); }
  let shift = countLeadingZeros(magnitude) - 8u;
  return Parts(1 - i32(shift), magnitude << shift);
}

fn add(a: u32, b: u32) -> u32 {
  let swapped = (a & MAGNITUDE) < (b & MAGNITUDE);
  let x = select(a, b, swapped);
  let y = select(b, a, swapped);
  let large = x & MAGNITUDE;
  let small = y & MAGNITUDE;
  if (large >= INFINITY) {
    if (large > INFINITY || (small == INFINITY && x != y)) { return NO_NUMBER; }
    return x;
  }
  var e = i32(max(large >> 23u, 1u));
  let distance = u32(e) - max(small >> 23u, 1u);
  let s = ((large & FRACTION) | select(0u, LEADING, large >= LEADING)) << 3u;
  let t = shiftRight(((small & FRACTION) | select(0u, LEADING, small >= LEADING)) << 3u, distance);
  let sign = x & SIGN;
  if (((x ^ y) & SIGN) == 0u) {
    var sum = s + t;
    if (sum >= 0x8000000u) {
      sum = shiftRight(sum, 1u);
      e = e + 1;
    }
    return rounded(sign, e, sum);
  }
  let difference = s - t;
  if (difference == 0u) { return 0u; }
  let shift = min(countLeadingZeros(difference) - 5u, u32(e - 1));
  return rounded(sign, e - i32(shift), difference << shift);
}

fn subtract(a: u32, b: u32) -> u32 {
  return add(a, b ^ SIGN);
}

fn multiply(a: u32, b: u32) -> u32 {
  let sign = (a ^ b) & SIGN;
  let x = a & MAGNITUDE;
  let y = b & MAGNITUDE;
  if (x >= INFINITY || y >= INFINITY) {
    if (x > INFINITY || y > INFINITY || x == 0u || y == 0u) { return NO_NUMBER; }
    return sign | INFINITY;
  }
  if (x == 0u || y == 0u) { return sign; }
  let p = split(x);
  let q = split(y);
  let middle = (p.significand >> 12u) * (q.significand & 0xfffu) + (p.significand & 0xfffu) * (q.significand >> 12u);
  let low = (p.significand & 0xfffu) * (q.significand & 0xfffu) + ((middle & 0xfffu) << 12u);
  let high = (p.significand >> 12u) * (q.significand >> 12u) + (middle >> 12u) + (low >> 24u);
  var e = p.exponent + q.exponent - 127;
  var s = (high << 4u) | ((low >> 20u) & 15u) | u32((low & 0xfffffu) != 0u);
  if (s >= 0x8000000u) {
    s = shiftRight(s, 1u);
    e = e + 1;
  }
  return rounded(sign, e, s);
}

fn divide(a: u32, b: u32) -> u32 {
  let sign = (a ^ b) & SIGN;
  let x = a & MAGNITUDE;
  let y = b & MAGNITUDE;
  if (x > INFINITY || y > INFINITY || (x == INFINITY && y == INFINITY) || (x == 0u && y == 0u)) { return NO_NUMBER; }
  if (x == INFINITY || y == 0u) { return sign | INFINITY; }
  if (x == 0u || y == INFINITY) { return sign; }
  let p = split(x);
  let q = split(y);
  var e = p.exponent - q.exponent + 127;
  var rest = p.significand;
  if (rest < q.significand) {
    rest = rest << 1u;
    e = e - 1;
  }
  var quotient = 0u;
  for (var i = 0; i < 27; i = i + 1) {
    let fits = rest >= q.significand;
    quotient = (quotient << 1u) | u32(fits);
    rest = (rest - select(0u, q.significand, fits)) << 1u;
  }
  return rounded(sign, e, quotient | u32(rest != 0u));
}

fn squareRoot(a: u32) -> u32 {
  if (isNaN(a) || a > SIGN) { return NO_NUMBER; }
  if (a == 0u || a == SIGN || a == INFINITY) { return a; }
  let p = split(a);
  let exponent = p.exponent - 127;
  let radicand = p.significand << u32(exponent & 1);
  var root = 0u;
  var rest = 0u;
  for (var i = 0u; i < 27u; i = i + 1u) {
    var pair = 0u;
    if (i < 13u) { pair = ((radicand << 1u) >> (24u - 2u * i)) & 3u; }
    rest = (rest << 2u) | pair;
    let trial = (root << 2u) | 1u;
    let fits = rest >= trial;
    rest = rest - select(0u, trial, fits);
    root = (root << 1u) | u32(fits);
  }
  return rounded(0u, (exponent >> 1u) + 127, root | u32(rest != 0u));
}

fn fromInteger(n: i32) -> u32 {
  if (n == 0) { return 0u; }
  let magnitude = u32(abs(n));
  let zeros = countLeadingZeros(magnitude);
  return select(0u, SIGN, n < 0) | ((158u - zeros) << 23u) | ((magnitude << (zeros - 8u)) & FRACTION);
}

fn floorOf(a: u32) -> i32 {
  let magnitude = a & MAGNITUDE;
  if (magnitude == 0u) { return 0; }
  if (magnitude < ${inWgsl(1)}) { return select(0, -1, a >= SIGN); }
  let shift = 150u - (magnitude >> 23u);
  let significand = (magnitude & FRACTION) | LEADING;
  let whole = significand >> shift;
  return select(i32(whole), -i32(whole) - i32((whole << shift) != significand), a >= SIGN);
}

fn power(exponent: i32) -> u32 {
  return u32(exponent + 127) << 23u;
}

fn lowerHalf(n: i32) -> u32 {
  return power(n >> 1u);
}

fn upperHalf(n: i32) -> u32 {
  return power(n - (n >> 1u));
}

fn mantissaOf(a: u32) -> u32 {
  let mantissa = (split(a & MAGNITUDE).significand & FRACTION) | HALF;
  return select(mantissa, mantissa + LEADING, mantissa < ROOT_OF_HALF);
}

fn exponentOf(a: u32) -> u32 {
  let p = split(a & MAGNITUDE);
  return fromInteger(p.exponent - 126 - i32(((p.significand & FRACTION) | HALF) < ROOT_OF_HALF));
}

fn logarithmOf(a: u32, ordinary: u32) -> u32 {
  if ((a & MAGNITUDE) == 0u) { return SIGN | INFINITY; }
  if (isNaN(a) || a > SIGN) { return NO_NUMBER; }
  return select(ordinary, a, a == INFINITY);
}
`
