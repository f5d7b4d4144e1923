/// A point in event time: nanoseconds since the Unix epoch.
///
/// A feed that counts from midnight and has no date counts as if on 1970-01-01 in the exchange's zone.
@frozen public struct Timestamp: BitwiseCopyable, Hashable, Comparable, Sendable {
  /// Nanoseconds since the Unix epoch.
  public var nanoseconds: Int64

  /// A point `nanoseconds` after the Unix epoch.
  @inlinable public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  /// The earliest point, before every event.
  @inlinable public static var distantPast: Timestamp { Timestamp(nanoseconds: .min) }

  /// The latest point, after every event.
  @inlinable public static var distantFuture: Timestamp { Timestamp(nanoseconds: .max) }

  /// Orders by time.
  @inlinable public static func < (left: Timestamp, right: Timestamp) -> Bool {
    left.nanoseconds < right.nanoseconds
  }

  /// The time from `earlier` to `later`, saturating at the ends of the range.
  @inlinable public static func - (later: Timestamp, earlier: Timestamp) -> TimeSpan {
    let (difference, overflow) = later.nanoseconds.subtractingReportingOverflow(earlier.nanoseconds)
    guard !overflow else { return TimeSpan(nanoseconds: later < earlier ? .min : .max) }
    return TimeSpan(nanoseconds: difference)
  }

  /// The point `span` later, saturating at the ends of the range.
  @inlinable public static func + (time: Timestamp, span: TimeSpan) -> Timestamp {
    let (sum, overflow) = time.nanoseconds.addingReportingOverflow(span.nanoseconds)
    guard !overflow else { return span.nanoseconds < 0 ? .distantPast : .distantFuture }
    return Timestamp(nanoseconds: sum)
  }
}

/// A length of event time in nanoseconds.
@frozen public struct TimeSpan: BitwiseCopyable, Hashable, Comparable, Sendable {
  /// Nanoseconds, negative for a span into the past.
  public var nanoseconds: Int64

  /// A span of `nanoseconds` nanoseconds.
  @inlinable public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  /// A span of whole milliseconds.
  @inlinable public static func milliseconds(_ count: Int64) -> TimeSpan {
    TimeSpan(nanoseconds: count * 1_000_000)
  }

  /// A span of whole seconds.
  @inlinable public static func seconds(_ count: Int64) -> TimeSpan { TimeSpan(nanoseconds: count * 1_000_000_000) }

  /// No time.
  @inlinable public static var zero: TimeSpan { TimeSpan(nanoseconds: 0) }

  /// Orders by length.
  @inlinable public static func < (left: TimeSpan, right: TimeSpan) -> Bool { left.nanoseconds < right.nanoseconds }

  /// The span in seconds, for features and models only.
  @inlinable public var seconds: Double { Double(nanoseconds) / 1e9 }
}
