import Foundation
import TradingTypes

/// Round numbers for the axes of a plot, and how numbers are written there.
enum PlotTicks {
  /// Multiples of 1, 2 or 5 times a power of ten within `low`…`high`, at most `countMax`, and the step between them.
  static func values(_ low: Double, _ high: Double, countMax: Int) -> (values: [Double], step: Double) {
    let magnitude = pow(10, log10((high - low) / Double(countMax)).rounded(.down))
    for factor in [1.0, 2, 5, 10, 20] {
      let step = factor * magnitude
      let (first, last) = ((low / step).rounded(.up), (high / step).rounded(.down))
      // Rounding of huge numbers may leave nothing between.
      guard last >= first else { return ([], step) }
      if Int(last - first) < countMax { return ((0...Int(last - first)).map { (first + Double($0)) * step }, step) }
    }
    return ([], high - low)
  }

  /// A tick's value with the decimals its step needs.
  static func label(_ value: Double, step: Double) -> String {
    let largest = max(value.magnitude, step)
    let (stepPower, power) = (Int(log10(step * 1.0001).rounded(.down)), Int(log10(largest * 1.0001).rounded(.down)))
    if value == 0 || value.magnitude < step / 2 { return "0" }
    if power >= 9 || stepPower < -5 { return scientific(value, digits: max(0, power - stepPower)) }
    return grouped(value, decimals: max(0, -stepPower))
  }

  /// A value with six significant digits, without closing zeros.
  static func significant(_ value: Double) -> String {
    guard value != 0 else { return "0" }
    let power = Int(log10(value.magnitude).rounded(.down))
    return power >= 9 || power < -4 ? scientific(value, digits: 4) : grouped(value, decimals: max(0, 5 - power))
  }

  /// An integer with a comma before each three digits.
  static func grouped(_ value: Int) -> String { grouped(Double(value), decimals: 0) }

  private static func grouped(_ value: Double, decimals: Int) -> String {
    let parts = trimmed(String(format: "%.\(decimals)f", value.magnitude)).split(separator: ".")
    var digits = String(parts[0])
    for place in stride(from: digits.count - 3, to: 0, by: -3) {
      digits.insert(",", at: digits.index(digits.startIndex, offsetBy: place))
    }
    return (value < 0 ? "−" : "") + ([digits] + parts.dropFirst().map(String.init)).joined(separator: ".")
  }

  private static func scientific(_ value: Double, digits: Int) -> String {
    let parts = String(format: "%.\(digits)e", value.magnitude).split(separator: "e")
    let power = Int(parts[1]) ?? 0
    return (value < 0 ? "−" : "") + trimmed(String(parts[0])) + "e" + (power < 0 ? "−" : "") + "\(power.magnitude)"
  }

  /// Without zeros, and a point, at the end of a fraction.
  private static func trimmed(_ text: String) -> String {
    guard text.contains(".") else { return text }
    var text = text[...]
    while text.hasSuffix("0") { text.removeLast() }
    return String(text.hasSuffix(".") ? text.dropLast() : text)
  }
}

/// How a plot's rows stand on its time axis.
enum PlotAxis {
  /// By time; a day that is not known is the epoch's.
  case clock
  /// By number: the "nanoseconds" count rows.
  case rows

  /// A place on the axis and what is written there.
  struct Tick: Equatable {
    var time: Timestamp
    var label: String
  }

  private static let second: Int64 = 1_000_000_000
  private static let day = 86_400 * second

  /// Round places within `start`…`end`, at most `countMax` (2 or more).
  func ticks(_ start: Timestamp, _ end: Timestamp, countMax: Int) -> [Tick] {
    let (first, last) = (start.nanoseconds, max(end.nanoseconds, start.nanoseconds))
    guard case .clock = self else {
      let places = PlotTicks.values(Double(first), Double(max(last, first + 1)), countMax: countMax)
      return places.values.filter { $0 == $0.rounded() && $0 <= Double(last) }.map {
        Tick(time: Timestamp(nanoseconds: Int64($0)), label: PlotTicks.grouped(Int($0)))
      }
    }
    // Every step divides the next unit of the clock, so that its multiples are round times of the day.
    let fractions = (0..<9).flatMap { power in [1, 2, 5].map { $0 * Int64(pow(10, Double(power))) } }
    let seconds: [Int64] = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800]
    let hours: [Int64] = [3_600, 7_200, 10_800, 21_600, 43_200, 86_400]
    // A fraction of a second is twice as long to write.
    for step in fractions + (seconds + hours).map({ $0 * Self.second })
    where last / step - first / step < Int64(step < Self.second ? (countMax + 1) / 2 : countMax) {
      return stride(from: Self.multiple(of: step, from: first), through: last, by: Int64.Stride(step)).map {
        Tick(time: Timestamp(nanoseconds: $0), label: Self.label($0, step: step))
      }
    }
    let days = (first / Self.day, last / Self.day)
    if (days.1 - days.0) / 7 < Int64(countMax) {
      // Mondays: the epoch's day is a Thursday.
      return stride(from: Self.multiple(of: 7, from: days.0 - 4) + 4, through: days.1, by: 7).map { Self.tick(day: $0) }
        .filter { $0.time >= start }
    }
    let months = (Self.month(ofDay: days.0), Self.month(ofDay: days.1))
    for step in [1, 2, 3, 6, 12, 24, 60, 120, 240, 600] where (months.1 - months.0) / step < countMax {
      let firstMonth = Int(Self.multiple(of: Int64(step), from: Int64(months.0)))
      return stride(from: firstMonth, through: months.1, by: step).map { Self.tick(month: $0, step: step) }
        .filter { $0.time >= start }
    }
    return []
  }

  /// A time of the day, as long as its fraction needs.
  static func clockText(_ time: Timestamp) -> String { label(time.nanoseconds, step: 1_000_000) }

  /// The least multiple of `step` from `value` on.
  private static func multiple(of step: Int64, from value: Int64) -> Int64 {
    let rest = value % step
    return rest == 0 ? value : value - rest + (rest > 0 ? step : 0)
  }

  private static func label(_ nanoseconds: Int64, step: Int64) -> String {
    let ofDay = (nanoseconds % day + day) % day
    if ofDay == 0 && nanoseconds != 0 { return dateText(day: nanoseconds / day) }
    func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
    var text = two(ofDay / (3_600 * second)) + ":" + two(ofDay / (60 * second) % 60)
    guard step % (60 * second) != 0 else { return text }
    text += ":" + two(ofDay / second % 60)
    guard step < second else { return text }
    let digits = String("\(second + ofDay % second)".dropFirst())
    var places = 9
    var unit: Int64 = 1
    while step % (unit * 10) == 0 { (places, unit) = (places - 1, unit * 10) }
    return text + "." + digits.prefix(places)
  }

  private static func tick(day number: Int64) -> Tick {
    Tick(time: Timestamp(nanoseconds: number * day), label: dateText(day: number))
  }

  private static func tick(month: Int, step: Int) -> Tick {
    let text = monthText(month)
    let firstDay = daysSinceEpoch(text + "-01") ?? 0
    return Tick(time: Timestamp(nanoseconds: firstDay * day), label: step % 12 == 0 ? String(text.prefix(4)) : text)
  }

  /// Months from January 1970 to that of a day.
  private static func month(ofDay day: Int64) -> Int {
    // An estimate that is never above, then month by month.
    var month = max(0, Int(day / 31))
    while let next = daysSinceEpoch(monthText(month + 1) + "-01"), next <= day { month += 1 }
    return month
  }

  private static func monthText(_ month: Int) -> String {
    let number = month % 12 + 1
    return "\(1970 + month / 12)-\(number < 10 ? "0" : "")\(number)"
  }

  static func dateText(day: Int64) -> String {
    let month = monthText(month(ofDay: day))
    let number = day - (daysSinceEpoch(month + "-01") ?? 0) + 1
    return "\(month)-\(number < 10 ? "0" : "")\(number)"
  }
}
