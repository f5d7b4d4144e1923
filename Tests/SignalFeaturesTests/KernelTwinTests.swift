import Foundation
import SignalFeatures
import TestSupport
import Testing
import TradingTypes

// Goal: every kernel equals its batch definition at each step, `peek` is `update` of a copy, and a snapshot with the rest is the
// whole, bit for bit. Method: seeded random series, and twins over the whole history.
@Suite struct KernelTwinTests {
  /// Runs one kernel over a series.
  ///
  /// - Parameters:
  ///   - twin: the value after a history.
  ///   - numbers: a value as numbers, so that two can be compared.
  func check<Kernel: RollingKernel>(
    _ kernel: Kernel, _ inputs: [Kernel.Input], tolerance: Double = 1e-11, seed: UInt64,
    twin: ([Kernel.Input]) -> Kernel.Value, numbers: (Kernel.Value) -> [Double]
  ) {
    var kernel = kernel
    let cut = inputs.count / 3
    var saved = kernel
    var values: [[Double]] = []
    for (step, input) in inputs.enumerated() {
      if step == cut { saved = kernel.snapshot() }
      let peeked = numbers(kernel.peek(input))
      kernel.update(input)
      let actual = numbers(kernel.value)
      let expected = numbers(twin(Array(inputs[...step])))
      values.append(actual)
      #expect(peeked.map(\.bitPattern) == actual.map(\.bitPattern), "peek, step \(step), seed \(seed)")
      for (one, other) in zip(actual, expected) {
        #expect(
          abs(one - other) <= tolerance * max(1, abs(other)), "\(Kernel.self), step \(step), seed \(seed): \(expected)")
      }
    }
    kernel.restore(saved)
    for step in cut..<inputs.count {
      kernel.update(inputs[step])
      let again = numbers(kernel.value)
      #expect(again.map(\.bitPattern) == values[step].map(\.bitPattern), "restored, step \(step), seed \(seed)")
    }
  }

  func reals(_ seed: UInt64, count: Int = 240) -> [Double] {
    var random = SplitMix64(seed: seed)
    // Now and then a flat stretch and an outlier.
    var last = 0.0
    return (0..<count).map { _ in
      switch random.below(12) {
      case 0: last = (random.unit() - 0.5) * 1e5
      case 1...3: break
      default: last = random.unit() - 0.4
      }
      return last
    }
  }

  func walk(_ seed: UInt64, count: Int = 160) -> [Twin.Bar] {
    var random = SplitMix64(seed: seed)
    var close = 100.0
    return (0..<count).map { _ in
      if random.below(5) == 0 { return (high: close, low: close, close: close) }
      let open = close
      close += random.unit() - 0.5
      return (high: max(open, close) + random.unit(), low: min(open, close) - random.unit(), close: close)
    }
  }

  @Test(arguments: Seeds.brief) func `averages equal their recursion from the seed`(seed: UInt64) {
    check(
      ExponentialAverage(length: 9, seedCount: 9), walk(seed).map(\.close), seed: seed,
      twin: { Twin.exponential($0, weight: 0.2, seedCount: 9) }, numbers: { [$0] })
    check(
      ExponentialAverage(length: 5, seedCount: 1), walk(seed).map(\.close), seed: seed,
      twin: { Twin.exponential($0, weight: 1.0 / 3, seedCount: 1) }, numbers: { [$0] })
    check(
      WilderAverage(length: 14), walk(seed).map(\.close), seed: seed, twin: { Twin.wilder($0, length: 14) },
      numbers: { [$0] })
  }

  @Test(arguments: Seeds.brief) func `oscillators equal their definitions over the whole history`(seed: UInt64) {
    let bars = walk(seed, count: 90)
    for length in [1, 2, 14] {
      check(
        RelativeStrengthIndex(length: length), bars.map(\.close), tolerance: 1e-9, seed: seed,
        twin: { Twin.strength($0, length: length) }, numbers: { [$0] })
      check(
        AverageTrueRange(length: length), bars, seed: seed,
        twin: { Twin.wilder(Twin.trueRanges($0), length: length) }, numbers: { [$0] })
      check(
        DirectionalMovement(length: length), bars, tolerance: 1e-9, seed: seed,
        twin: { Twin.movement($0, length: length) }, numbers: { [$0.plus, $0.minus, $0.index] })
    }
    check(
      MovingAverageConvergence(fast: 12, slow: 26, signal: 9), bars.map(\.close), seed: seed,
      twin: { Twin.convergence($0, fast: 12, slow: 26, signal: 9) },
      numbers: { [$0.line, $0.signal, $0.histogram] })
    var random = SplitMix64(seed: seed)
    let traded = bars.map { bar in
      (
        high: Price(nanos: Int64(bar.high * 1e9)), low: Price(nanos: Int64(bar.low * 1e9)),
        close: Price(nanos: Int64(bar.close * 1e9)), volume: Quantity(lots: Int64(random.below(1_000)))
      )
    }
    check(
      MoneyFlowIndex<16>(length: 14), traded, seed: seed, twin: { Twin.moneyFlow($0, length: 14) }, numbers: { [$0] })
  }

  @Test(arguments: Seeds.brief) func `integer sums equal sums of the window exactly`(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    for length in [1, 2, 5, 60] {
      var window = RollingIntegers<64>(length: length)
      var history: [Int64] = []
      for _ in 0..<300 {
        // Up to the largest size that is taken as it is, and beyond.
        let shift = random.below(63)
        let value = Int64(bitPattern: random.next()) >> Int64(shift)
        let most = IntegerMoments.valueMax(length: length)
        let peeked = window.peek(value)
        window.update(value)
        history.append(min(max(value, -most), most))
        let x = history.suffix(length).map { Int128($0) }
        let n = Int128(x.count)
        let moments = window.value
        #expect(peeked.squares == moments.squares && peeked.first.sum == moments.first.sum, "seed \(seed)")
        #expect(Int128(moments.first.sum) == x.reduce(0, +), "seed \(seed)")
        let squares = x.map { $0 * $0 }.reduce(0, +)
        #expect(moments.squares == squares, "seed \(seed)")
        #expect(moments.scaledVariance == n * squares - x.reduce(0, +) * x.reduce(0, +), "seed \(seed)")
        let pairs = zip(x.dropFirst(), x).map { ($0, $1) }
        let newer = pairs.map { $0.0 }.reduce(0, +)
        let older = pairs.map { $0.1 }.reduce(0, +)
        let scaled = Int128(pairs.count) * pairs.map { $0.0 * $0.1 }.reduce(0, +) - newer * older
        let covariance = pairs.isEmpty ? 0 : Double(approximating: scaled) / Double(pairs.count * pairs.count)
        let actual = window.neighbourCovariance
        #expect(abs(actual - covariance) <= 1e-14 * abs(covariance), "seed \(seed), length \(length)")
      }
    }
  }

  @Test(arguments: Seeds.brief) func `shared sums of one ring equal windows of their own`(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var ring = IntegerRing<64>()
    var short = IntegerSum(length: 7)
    var long = IntegerMoments(length: 50)
    var own = RollingIntegers<64>(length: 50)
    var history: [Int64] = []
    for _ in 0..<200 {
      let value = Int64(random.below(1_000_000)) - 500_000
      short.update(adding: value, removing: ring.value(age: 6))
      long.update(adding: value, removing: ring.value(age: 49))
      ring.update(value)
      own.update(value)
      history.append(value)
      let same = own.value
      #expect(short.sum == history.suffix(7).reduce(0, +) && short.count == min(7, history.count), "seed \(seed)")
      #expect(long.first.sum == same.first.sum && long.squares == same.squares, "seed \(seed)")
      let mean = Double(short.sum) / Double(short.count)
      #expect(short.mean == mean && ring.value(age: 0) == value, "seed \(seed)")
      let x = history.suffix(50).map(Double.init)
      let sd = (Twin.secondSum(x) / Double(max(1, x.count - 1))).squareRoot()
      let score = sd > 0 ? (x.last! - Twin.mean(x)) / sd : 0
      #expect(abs(long.standardScore(of: value) - score) < 1e-11, "seed \(seed)")
    }
  }

  @Test(arguments: Seeds.brief) func `rolling variance and variance ratio equal two passes over the window`(
    seed: UInt64
  ) {
    for length in [1, 2, 20, 61] {
      check(
        RollingVariance<80>(length: length), reals(seed), tolerance: 1e-10, seed: seed,
        twin: {
          var twin = WindowVariance(length: length)
          let window = Array($0.suffix(length))
          for value in window { _ = twin.update(adding: value, removing: 0) }
          twin.rebuild(from: window.span)
          return twin
        }, numbers: { [$0.mean, $0.variance(missing: 0), $0.variance(missing: 1)] })
    }
    var kernel = RollingVariance<80>(length: 61)
    var history: [Double] = []
    for value in reals(seed, count: 1_000) {
      kernel.update(value)
      history.append(value)
      let second = Twin.secondSum(history.suffix(61))
      #expect(abs(kernel.value.secondSum - second) <= 1e-11 * second, "seed \(seed)")
    }
    for (lag, length) in [(2, 3), (5, 60), (3, 61)] {
      check(
        VarianceRatio<80>(lag: lag, length: length), reals(seed), tolerance: 1e-9, seed: seed,
        twin: { Twin.varianceRatio(Array($0.suffix(length)), lag: lag) }, numbers: { [$0] })
    }
  }

  @Test(arguments: Seeds.brief) func `a regression equals least squares over the last pairs`(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    let pairs = reals(seed).map { x in (x: x, y: 0.3 * x + random.unit()) }
    for length in [2, 20, 61] {
      check(
        PairRegression<80>(length: length), pairs, tolerance: 1e-9, seed: seed,
        twin: { Twin.regression(Array($0.suffix(length))) }, numbers: { [$0.slope, $0.meanX, $0.meanY] })
    }
    var line = PairRegression<16>(length: 10)
    for x in 0..<25 { line.update(x: Double(x), y: 3 - 2 * Double(x)) }
    let (fitted, isFull) = (line.fitted(at: 100), line.isFull)
    #expect(abs(fitted + 197) < 1e-9 && isFull)
  }

  @Test(arguments: Seeds.brief) func `maximum and quantile equal a search of the window`(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    // Few distinct values, so that ties are common; and longer than 2^16, where numbers start again.
    let values = (0..<300).map { _ in Int64(random.below(8)) - 4 }
    for length in [1, 10, 16] {
      check(
        MonotonicMaximum<16>(length: length), values, seed: seed, twin: { $0.suffix(length).max()! },
        numbers: { [Double($0)] })
    }
    var long = MonotonicMaximum<16>(length: 13)
    var last: [Int64] = []
    for _ in 0..<70_000 {
      let value = Int64(random.below(1_000))
      long.update(value)
      last.append(value)
      if last.count > 13 { last.removeFirst() }
      if long.value != last.max()! { Issue.record("seed \(seed), update \(long.count)") }
    }
    for level in [0, 0.5, 0.9, 1] {
      check(
        RollingQuantile<10>(level: level), values.map(Double.init), seed: seed,
        twin: { Twin.quantile($0.suffix(10), level) }, numbers: { [$0] })
    }
  }

  @Test(arguments: Seeds.brief) func `moments of windows and columns equal two passes`(seed: UInt64) {
    check(
      RollingWindow<48>(length: 20), reals(seed), tolerance: 1e-9, seed: seed,
      twin: { history in
        let x = history.suffix(20)
        var sums = WindowMoments.CentralSums()
        sums.mean = Twin.mean(x)
        sums.second = Twin.secondSum(x)
        sums.third = x.map { pow($0 - sums.mean, 3) }.reduce(0, +)
        sums.fourth = x.map { pow($0 - sums.mean, 4) }.reduce(0, +)
        return sums
      }, numbers: { [$0.mean, $0.second, cbrt($0.third), $0.fourth] })
    let series = (0..<8).map { reals(seed &+ UInt64($0)) }
    var columns = WindowColumns<20>()
    let lacking = SIMD8<Int64>(0, 1, 2, 3, 4, 5, 6, 7) .< SIMD8<Int64>(repeating: 3)
    for step in series[0].indices {
      var row = SIMD8<Double>()
      for column in 0..<8 { row[column] = step == 0 && column < 3 ? 0 : series[column][step] }
      let peeked = columns.peek(row)
      columns.update(row)
      let whole = columns.value
      #expect(peeked.mean == whole.mean && peeked.second == whole.second, "seed \(seed)")
      let moments = columns.moments(firstRowLacks: lacking)
      for column in 0..<8 {
        let x = series[column][(column < 3 ? 1 : 0)..<max(step + 1, column < 3 ? 1 : 0)].suffix(
          column < 3 && step < 20 ? step : 20)
        #expect(moments.count[column] == Double(x.count), "seed \(seed)")
        #expect(abs(moments.mean[column] - Twin.mean(x)) <= 1e-11 * max(1, abs(Twin.mean(x))), "seed \(seed)")
        let second = Twin.secondSum(x)
        #expect(abs(moments.second[column] - second) <= 1e-12 * second, "seed \(seed), step \(step)")
      }
    }
  }

  @Test(arguments: Seeds.brief) func `a decayed sum equals its definition and late terms do not turn time back`(
    seed: UInt64
  ) {
    var random = SplitMix64(seed: seed)
    var time: Int64 = 34_200_000_000_000
    let terms = (0..<200).map { _ in
      time += Int64(random.below(2_000_000_000)) - 300_000_000
      return (value: random.unit() - 0.5, time: Timestamp(nanoseconds: time))
    }
    check(DecayedSum(halfLife: 10), terms, seed: seed, twin: { Twin.decayed($0, halfLife: 10) }, numbers: { [$0] })
    check(
      DecayedSum(rate: 1.5), terms, seed: seed, twin: { Twin.decayed($0, halfLife: log(2) / 1.5) }, numbers: { [$0] })
    var sum = DecayedSum(halfLife: 1)
    let empty = sum.value(at: Timestamp(nanoseconds: 0))
    sum.update(8, at: Timestamp(nanoseconds: 5_000_000_000))
    let (earlier, later) = (sum.value(at: .distantPast), sum.value(at: Timestamp(nanoseconds: 8_000_000_000)))
    #expect(empty == 0 && earlier == 8 && later == 1)
  }
}
