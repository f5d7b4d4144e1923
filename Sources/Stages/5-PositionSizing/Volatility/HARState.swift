/// The last 22 realised variances of one instrument, and their averages over a day, a week and a month.
///
/// The sums are made anew from the values each time: 22 additions, and no error that grows with the age of the state.
@frozen public struct HARState: BitwiseCopyable, Sendable {
  /// Days of the longest average.
  @inlinable public static var monthDays: Int { 22 }
  /// Days of the middle average.
  @inlinable public static var weekDays: Int { 5 }

  @usableFromInline var values: InlineArray<22, Double>
  // Where the next value goes.
  @usableFromInline var place: Int
  /// Realised variances that were taken.
  public private(set) var observations: Int64
  /// The last realised variance, RV⁽ᵈ⁾; 0 before the first.
  public private(set) var daily: Double
  /// The average of the last 5, RV⁽ʷ⁾; of fewer before there are so many.
  public private(set) var weekly: Double
  /// The average of the last 22, RV⁽ᵐ⁾; of fewer before there are so many.
  public private(set) var monthly: Double

  /// A state that has seen nothing.
  public init() {
    values = InlineArray(repeating: 0)
    (place, observations, daily, weekly, monthly) = (0, 0, 0, 0, 0)
  }

  /// The state after `variances`, oldest first.
  public init(after variances: some Sequence<Double>) {
    self.init()
    for value in variances { _ = take(value) }
  }

  /// Whether there is a month of values, so that a forecast means something.
  public var isReady: Bool { observations >= Int64(Self.monthDays) }

  /// Takes the realised variance of the day that ended; whether it could be taken. One that is negative, or not finite, changes nothing.
  ///
  /// - Complexity: O(1), no allocation.
  public mutating func take(_ variance: Double) -> Bool {
    // In the same comparison NaN fails. The bound keeps every sum finite.
    guard variance >= 0, variance <= 1e300 else { return false }
    values[place] = variance
    // Wrapping: 2^63 days never come.
    observations &+= 1
    daily = variance
    var sum = 0.0
    let count = Int(min(observations, Int64(Self.monthDays)))
    // From the newest back, so that the week is a part of the month's sum.
    for age in 0..<count {
      sum += values[place >= age ? place - age : place - age + Self.monthDays]
      if age + 1 == min(count, Self.weekDays) { weekly = sum / Double(age + 1) }
    }
    monthly = sum / Double(count)
    place = place + 1 == Self.monthDays ? 0 : place + 1
    return true
  }
}
