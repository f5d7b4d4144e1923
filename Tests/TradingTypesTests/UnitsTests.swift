// Goal: money is exact. Method: edges by example, and seeded values against 128-bit arithmetic done the long way.
import TestSupport
import Testing
import TradingTypes

@Test(arguments: Seeds.brief)
func `a notional is the exact product, or nothing`(seed: UInt64) {
  var random = SplitMix64(seed: seed)
  for _ in 0..<2000 {
    let price = Int64(bitPattern: random.next()) >> Int64(random.below(64))
    let lots = Int64(bitPattern: random.next()) >> Int64(random.below(64))
    let multiplier = Int64(random.next() >> UInt64(1 + random.below(63)))
    let given = Money(notional: Price(nanos: price), Quantity(lots: lots), multiplier: multiplier)
    // The twin multiplies magnitudes in pieces of 64 bits and looks at what spills over.
    let product = price.magnitude.multipliedFullWidth(by: lots.magnitude)
    let low = product.low.multipliedFullWidth(by: multiplier.magnitude)
    let high = product.high.multipliedFullWidth(by: multiplier.magnitude)
    let (middle, carries) = low.high.addingReportingOverflow(high.low)
    let isNegative = (price < 0) != (lots < 0) && price != 0 && lots != 0 && multiplier != 0
    let magnitude = UInt128(middle) << 64 | UInt128(low.low)
    let fits = high.high == 0 && !carries && magnitude <= UInt128(Int128.max) + (isNegative ? 1 : 0)
    guard fits else {
      #expect(given == nil, "seed \(seed): \(price) × \(lots) × \(multiplier)")
      continue
    }
    let exact = isNegative ? Int128(truncatingIfNeeded: 0 &- magnitude) : Int128(magnitude)
    #expect(given?.nanos == exact, "seed \(seed): \(price) × \(lots) × \(multiplier)")
  }
}

@Test func `an amount is rounded to the nearest billionth, ties to even`() {
  #expect(Money(rounding: 1.25)?.nanos == 1_250_000_000)
  #expect(Money(rounding: -1.25)?.nanos == -1_250_000_000)
  #expect(Money(rounding: 0.5e-9)?.nanos == 0 && Money(rounding: 1.5e-9)?.nanos == 2)
  for bad in [Double.nan, .infinity, -.infinity, 1e30] { #expect(Money(rounding: bad) == nil, "\(bad)") }
  #expect(Money(units: 3).real == 3 && Price(nanos: 1_500_000_000).real == 1.5)
}

@Test func `arithmetic of quantities and money keeps its signs`() {
  #expect((Quantity(lots: 3) - Quantity(lots: 5)).lots == -2 && Quantity(lots: 3) < Quantity(lots: 5))
  var money = Money(units: 2)
  money += Money(units: 1)
  money -= Money(units: 5)
  #expect(money == -Money(units: 2) && money.magnitude == Money(units: 2) && money < .zero && .zero < Money.max)
}

@Test func `adding beyond a quantity's range ends the program`() async {
  await #expect(processExitsWith: .failure) { _ = Quantity(lots: .max) + Quantity(lots: 1) }
  await #expect(processExitsWith: .failure) { _ = Money(nanos: .min) - Money(nanos: 1) }
}

@Test func `the sides are opposite in sign`() {
  for side in Side.allCases {
    #expect(side.opposite != side && side.opposite.opposite == side && side.sign == -side.opposite.sign)
  }
  #expect(Side.buy.sign == 1)
}

@Test(arguments: Seeds.brief)
func `times and spans saturate and never trap`(seed: UInt64) {
  var random = SplitMix64(seed: seed)
  let edges: [Int64] = [.min, .min + 1, -1, 0, 1, .max - 1, .max]
  func any() -> Int64 { random.below(2) == 0 ? edges[random.below(edges.count)] : Int64(bitPattern: random.next()) }
  func clamped(_ exact: Int128) -> Int64 { Int64(max(Int128(Int64.min), min(Int128(Int64.max), exact))) }
  for _ in 0..<2000 {
    let (one, other) = (any(), any())
    let later = Timestamp(nanoseconds: one)
    let difference = later - Timestamp(nanoseconds: other)
    #expect(difference.nanoseconds == clamped(Int128(one) - Int128(other)), "seed \(seed): \(one) − \(other)")
    let sum = later + TimeSpan(nanoseconds: other)
    #expect(sum.nanoseconds == clamped(Int128(one) + Int128(other)), "seed \(seed): \(one) + \(other)")
  }
  #expect(TimeSpan.seconds(2) == .milliseconds(2000) && TimeSpan.seconds(2).seconds == 2)
}
