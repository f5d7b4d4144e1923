public import Synchronization

/// The metrics of one set, each with a fixed slot: an enum whose raw values count from 0.
public protocol MetricSlot: CaseIterable, RawRepresentable, Sendable
where RawValue == Int, AllCases: RandomAccessCollection {
  /// Its name in expositions: letters, digits and underscores; a counter's ends in `_total`.
  var name: String { get }
  /// One line for a person.
  var help: String { get }
  /// Whether it only grows, or goes up and down.
  var kind: MetricKind { get }
}

/// How a metric moves.
@frozen public enum MetricKind: UInt8, BitwiseCopyable, Hashable, Sendable {
  /// Only grows.
  case counter = 0
  /// Goes up and down.
  case gauge = 1
}

/// Where one thread shows its metrics to all others: one atomic number a slot.
///
/// A reader sees each number as it was at some publication; two numbers may come from two.
public final class MetricBoard<Slot: MetricSlot>: Sendable {
  /// Slots a board can hold.
  @inlinable public static var slotCountMax: Int { 64 }

  @usableFromInline let slotCount: Int
  @usableFromInline let cells: InlineArray<64, Atomic<Int64>>

  /// A board of zeros.
  ///
  /// - Precondition: `Slot` has at most 64 cases, whose raw values count from 0.
  public init() {
    precondition(Slot.allCases.count <= Self.slotCountMax, "MetricBoard: at most 64 slots")
    precondition(
      Slot.allCases.enumerated().allSatisfy { $0 == $1.rawValue }, "MetricBoard: the raw values count from 0")
    slotCount = Slot.allCases.count
    cells = InlineArray { _ in Atomic(0) }
  }

  /// The number last published. Any thread may ask.
  @inlinable public subscript(slot: Slot) -> Int64 {
    // Relaxed: each number stands alone.
    cells[slot.rawValue].load(ordering: .relaxed)
  }

  @inlinable func store(_ value: Int64, at index: Int) {
    // Relaxed: each number stands alone, and only the one writer stores.
    cells[index].store(value, ordering: .relaxed)
  }
}

/// The numbers behind a `MetricBoard`, for the one thread that changes them: plain additions, shown when it says so.
@frozen public struct MetricWriter<Slot: MetricSlot>: ~Copyable {
  @usableFromInline var values: InlineArray<64, Int64>
  // A call: optimised code (Swift 6.3) that reads a stored `let` and hands the writer on keeps no reference of its own.
  /// Where the numbers are shown.
  public var board: MetricBoard<Slot> { @inline(never) get { shown } }
  @usableFromInline let shown: MetricBoard<Slot>

  /// A writer of zeros; a board has one writer.
  public init(showingOn board: MetricBoard<Slot>) {
    values = InlineArray(repeating: 0)
    shown = board
  }

  /// The number of a slot as this thread knows it.
  @inlinable public subscript(slot: Slot) -> Int64 { values[slot.rawValue] }

  /// Adds to a slot.
  ///
  /// - Complexity: O(1), no allocation, no shared memory.
  @inlinable public mutating func add(_ amount: Int64 = 1, to slot: Slot) {
    // Wrapping: a counter of 64 bits at a billion a second wraps after 292 years.
    values[slot.rawValue] &+= amount
  }

  /// Sets a gauge.
  @inlinable public mutating func set(_ slot: Slot, to value: Int64) { values[slot.rawValue] = value }

  /// Shows all numbers: a relaxed store for each slot. Call it when idle, or every so many messages.
  ///
  /// - Complexity: O(slots), no allocation, no lock.
  @inlinable public borrowing func publish() {
    for index in 0..<shown.slotCount { shown.store(values[index], at: index) }
  }
}
