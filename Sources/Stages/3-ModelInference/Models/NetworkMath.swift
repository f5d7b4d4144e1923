/// The functions of quantised networks in single precision, with every operation and its order fixed.
///
/// Additions, subtractions, multiplications and divisions, each rounded by itself; `fused(a, b, c) = a × b + c`, rounded
/// once, in every step of Horner's rule, in sums of products and where a formula says so, nowhere else; and two selects:
/// `larger(a, b)` is `a > b ? a : b` and `smaller(a, b)` is `a < b ? a : b`, which is what `maxps a, b` and
/// `minps a, b` do, NaN and zeros of both signs included. Polynomials are evaluated by Horner's rule. So scalar code and
/// vectors of any length give the same bits.
///
/// Coefficients are our own minimax fits (Lawson's iteration, 1961, on the linearised rational problem), rounded to
/// single precision; the tests measure the errors stated here. Clamps and the last coefficient of the tangent's numerator are
/// chosen so that fused evaluation ends at 1 exactly.
@frozen public enum NetworkMath {
  /// Lanes of every sum over single precision numbers.
  public static let laneCount = 16

  /// Beyond this magnitude the hyperbolic tangent is ±1, exactly.
  public static let tanhClamp: Float = 7.620_522_975_921_631
  /// Beyond this magnitude the error function is ±1, exactly.
  public static let erfClamp: Float = 3.627_911_329_269_409

  /// Numerator coefficients of the hyperbolic tangent in ascending powers of x².
  public static let tanhNumerator: [Float] = [
    0.999_999_821_186_065_7, 0.127_295_270_562_171_94, 0.002_714_018_803_089_857, 7.296_319_836_314_069e-06,
    -6.386_792_872_348_224e-09,
  ]
  /// Denominator coefficients of the hyperbolic tangent in ascending powers of x².
  public static let tanhDenominator: [Float] = [
    1, 0.460_627_198_219_299_3, 0.022_925_013_676_285_744, 0.000_199_018_861_167_132_85,
  ]
  /// Numerator coefficients of the error function in ascending powers of x².
  public static let erfNumerator: [Float] = [
    1.128_379_106_521_606_4, 0.186_242_759_227_752_69, 0.052_309_740_334_749_22, 0.003_614_763_263_612_985_6,
    0.000_286_498_834_611_848, 2.151_042_735_931_696_4e-06,
  ]
  /// Denominator coefficients of the error function in ascending powers of x².
  public static let erfDenominator: [Float] = [
    1, 0.498_386_293_649_673_46, 0.112_489_059_567_451_48, 0.014_666_641_131_043_434, 0.001_135_019_701_905_548_6,
    3.921_306_051_779_538_4e-05,
  ]
  /// Coefficients of `(exp(r) − 1 − r) / r²` in ascending powers of r.
  public static let expSeries: [Float] = [
    0.499_992_311_000_824, 0.166_671_141_982_078_55, 0.041_890_159_249_305_725, 0.008_312_521_502_375_603,
  ]

  /// `a > b ? a : b`, the processor's vector maximum.
  @inlinable public static func larger(_ a: Float, _ b: Float) -> Float { a > b ? a : b }
  /// `a < b ? a : b`, the processor's vector minimum.
  @inlinable public static func smaller(_ a: Float, _ b: Float) -> Float { a < b ? a : b }

  /// `a × b + c`, rounded once.
  @inlinable public static func fused(_ a: Float, _ b: Float, _ c: Float) -> Float { c.addingProduct(a, b) }

  /// The exponential, of arguments taken to −87…88: relative error up to 2.5e-7 there.
  ///
  /// `x = larger(smaller(x, 88), −87)` ; `n = fused(x, 1.44269504, 3 × 2^22) − 3 × 2^22`, a whole number ;
  /// `r = fused(n, −0.693359375, x)` ; `r = fused(n, 2.12194440e-4, r)` ; `p = ((e3 × r + e2) × r + e1) × r + e0` ;
  /// `v = fused(p, r × r, r) + 1` ;
  /// the result is `v × 2^n`, the power made from its bits (`(n + 127) << 23`).
  @inlinable public static func exp(_ x: Float) -> Float {
    let x = larger(smaller(x, 88), -87)
    // Where the sum lies a unit in the last place is 1.
    let n = fused(x, 1.442_695_04, 0x1.8p23) - 0x1.8p23
    var r = fused(n, -0.693_359_375, x)
    r = fused(n, 2.121_944_40e-4, r)
    var p: Float = 0.008_312_521_502_375_603
    p = fused(p, r, 0.041_890_159_249_305_725)
    p = fused(p, r, 0.166_671_141_982_078_55)
    p = fused(p, r, 0.499_992_311_000_824)
    let v = fused(p, r * r, r) + 1
    // n lies in −126…127, so the sum is an exponent of a normal number.
    return v * Float(bitPattern: UInt32(Int32(n) + 127) << 23)
  }

  /// Numerator and denominator of a value.
  @frozen public struct Ratio: Hashable, Sendable {
    /// Numerator.
    public let p: Float
    /// Denominator, at least 1.
    public let q: Float

    @inlinable init(p: Float, q: Float) {
      self.p = p
      self.q = q
    }
  }

  /// `tanh(x) = p / q`: absolute and relative error up to 6e-7, exactly ±1 beyond `tanhClamp`, 0 of the sign of `x` at 0.
  ///
  /// `x = smaller(larger(x, −clamp), clamp)` ; `y = x × x` ;
  /// `p = x × ((((t4 × y + t3) × y + t2) × y + t1) × y + t0)` ; `q = ((s3 × y + s2) × y + s1) × y + 1`.
  @inlinable public static func tanhRatio(_ x: Float) -> Ratio {
    let x = smaller(larger(x, -7.620_522_975_921_631), 7.620_522_975_921_631)
    let y = x * x
    var p: Float = -6.386_792_872_348_224e-09
    p = fused(p, y, 7.296_319_836_314_069e-06)
    p = fused(p, y, 0.002_714_018_803_089_857)
    p = fused(p, y, 0.127_295_270_562_171_94)
    p = fused(p, y, 0.999_999_821_186_065_7)
    var q: Float = 0.000_199_018_861_167_132_85
    q = fused(q, y, 0.022_925_013_676_285_744)
    q = fused(q, y, 0.460_627_198_219_299_3)
    q = fused(q, y, 1)
    return Ratio(p: x * p, q: q)
  }

  /// The hyperbolic tangent: `p / q` of `tanhRatio`.
  @inlinable public static func tanh(_ x: Float) -> Float {
    let ratio = tanhRatio(x)
    return ratio.p / ratio.q
  }

  /// The logistic function `1 / (1 + exp(0 − x))`: relative error up to 4e-7 above −87.
  @inlinable public static func sigmoid(_ x: Float) -> Float { 1 / (1 + exp(0 - x)) }

  /// `x / (1 + exp(0 − x))`.
  @inlinable public static func silu(_ x: Float) -> Float { x / (1 + exp(0 - x)) }

  /// The error function: absolute error up to 5e-7, exactly ±1 beyond `erfClamp`; the form of `tanhRatio`, six coefficients a side.
  @inlinable public static func erf(_ x: Float) -> Float {
    let x = smaller(larger(x, -3.627_911_329_269_409), 3.627_911_329_269_409)
    let y = x * x
    var p: Float = 2.151_042_735_931_696_4e-06
    p = fused(p, y, 0.000_286_498_834_611_848)
    p = fused(p, y, 0.003_614_763_263_612_985_6)
    p = fused(p, y, 0.052_309_740_334_749_22)
    p = fused(p, y, 0.186_242_759_227_752_69)
    p = fused(p, y, 1.128_379_106_521_606_4)
    var q: Float = 3.921_306_051_779_538_4e-05
    q = fused(q, y, 0.001_135_019_701_905_548_6)
    q = fused(q, y, 0.014_666_641_131_043_434)
    q = fused(q, y, 0.112_489_059_567_451_48)
    q = fused(q, y, 0.498_386_293_649_673_46)
    q = fused(q, y, 1)
    return (x * p) / q
  }

  /// `(0.5 × x) × (1 + erf(x × 0.70710678))`.
  @inlinable public static func gelu(_ x: Float) -> Float { (0.5 * x) * (1 + erf(x * 0.707_106_78)) }

  /// `(0.5 × x) × (1 + tanh(x × ((x × x) × 0.035677408 + 0.79788456)))`: the tanh form of `gelu`, up to 5e-4 from it.
  ///
  /// - Source: Hendrycks, Gimpel 2016, arXiv:1606.08415, section 2: `0.5 x (1 + tanh(√(2/π) (x + 0.044715 x³)))`.
  @inlinable public static func geluTanh(_ x: Float) -> Float {
    (0.5 * x) * (1 + tanh(x * ((x * x) * 0.035_677_408 + 0.797_884_56)))
  }

  /// Cell state and hidden state of an LSTM unit after a row, from the sums of its four gates and the cell state before.
  ///
  /// The sigmoid of a gate is `(q + p) / (q + q)` with the ratio of `tanh(0.5 × gate)`; two divisions serve all five
  /// functions:
  /// `c' = fused((qf + pf) × c, qi × qg, ((qi + pi) × pg) × qf) / (d + d)`, `d = (qi × qg) × qf` ;
  /// `h' = ((qo + po) × pc) / (e + e)`, `e = qo × qc`, of `tanh(c')`.
  @inlinable public static func lstmCell(
    input: Float, output: Float, forget: Float, candidate: Float, cell: Float
  ) -> (cell: Float, hidden: Float) {
    let i = tanhRatio(0.5 * input)
    let o = tanhRatio(0.5 * output)
    let f = tanhRatio(0.5 * forget)
    let g = tanhRatio(candidate)
    let shared = i.q * g.q
    let added = ((i.q + i.p) * g.p) * f.q
    let below = shared * f.q
    let next = fused((f.q + f.p) * cell, shared, added) / (below + below)
    let c = tanhRatio(next)
    let under = o.q * c.q
    return (next, ((o.q + o.p) * c.p) / (under + under))
  }

  /// The sigmoid of a gate of a GRU, by which the old state or its product is multiplied: `(q + p) / (q + q)` of
  /// `tanh(0.5 × gate)`.
  @inlinable public static func gate(_ x: Float) -> Float {
    let ratio = tanhRatio(0.5 * x)
    return (ratio.q + ratio.p) / (ratio.q + ratio.q)
  }

  /// Hidden state of a GRU unit after a row, from the sums of the update gate and the candidate and the state before.
  ///
  /// `h' = fused(qz − pz, pn, ((qz + pz) × h) × qn) / (d + d)`, `d = qz × qn`: `(1 − z) n + z h` with one division.
  @inlinable public static func gruState(update: Float, candidate: Float, hidden: Float) -> Float {
    let z = tanhRatio(0.5 * update)
    let n = tanhRatio(candidate)
    let below = z.q * n.q
    return fused(z.q - z.p, n.p, ((z.q + z.p) * hidden) * n.q) / (below + below)
  }

  /// The sum of sixteen lanes: 16 → 8 → 4 → 2 → 1, lane `l` with lane `l + half`.
  @inlinable public static func sum(lanes: SIMD16<Float>) -> Float {
    let eight = lanes.lowHalf + lanes.highHalf
    let four = eight.lowHalf + eight.highHalf
    let two = four.lowHalf + four.highHalf
    return two.x + two.y
  }

  /// `Σ terms[i]`: lane `i % 16` adds its terms in ascending order from +0, then `sum(lanes:)`.
  ///
  /// Lanes start at +0, so terms of 0 after the end change no bit.
  public static func sum(_ terms: [Float]) -> Float {
    var lanes = SIMD16<Float>(repeating: 0)
    for (place, term) in terms.enumerated() { lanes[place % laneCount] += term }
    return sum(lanes: lanes)
  }

  /// `Σ first[i] × second[i]`: the same lanes, each product and addition rounded once.
  public static func sum(_ first: some Collection<Float>, times second: some Collection<Float>) -> Float {
    var lanes = SIMD16<Float>(repeating: 0)
    for (place, pair) in zip(first, second).enumerated() {
      let lane = place % laneCount
      lanes[lane] = fused(pair.0, pair.1, lanes[lane])
    }
    return sum(lanes: lanes)
  }
}

extension NeuralNetwork.Activation {
  /// The function, by `NetworkMath`.
  ///
  /// `relu` is `x > 0 ? x : 0`, `leakyReLU` is `x > 0 ? x : slope × x`.
  public func value(_ x: Float) -> Float {
    switch self {
    case .identity: x
    case .relu: NetworkMath.larger(x, 0)
    case .leakyReLU(let slope): x > 0 ? x : slope * x
    case .sigmoid: NetworkMath.sigmoid(x)
    case .tanh: NetworkMath.tanh(x)
    case .gelu: NetworkMath.gelu(x)
    case .geluTanh: NetworkMath.geluTanh(x)
    case .silu: NetworkMath.silu(x)
    }
  }
}
