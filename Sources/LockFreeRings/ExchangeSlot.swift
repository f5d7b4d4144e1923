public import Synchronization

/// Hands move-only values from one thread to one other, one at a time, and takes what they replace back.
///
/// For large values that a running thread must take over without making or ending anything: a model, a table. The
/// publisher makes the new value and ends the old one; the consumer only moves bytes.
///
///     publisher                          state                       consumer
///     publish(new)    empty ──release──► offered
///                                        offered ──► taken           take()
///     collect() → old empty ◄──acquire── returned ◄──release── taken giveBack(old)
///
/// There is one place for a value, and the state says whose it is: the publisher's while `empty` or `returned`, the
/// consumer's while `offered` or `taken`. Nobody touches it out of turn, so nothing is torn and nobody waits.
///
/// The slot hands out one `Publisher` and one `Consumer`; they keep the memory alive, the slot itself may go. A value that is
/// in the place when the last of them goes is ended there.
public struct ExchangeSlot<Value: ~Copyable>: ~Copyable {
  private let cell: ExchangeCell<Value>
  private var hasGivenPublisher = false
  private var hasGivenConsumer = false

  /// An empty slot in `arena`.
  ///
  /// - Throws: `ArenaError` when the arena is full.
  /// - Complexity: one allocation beside the arena's memory.
  public init(in arena: Arena) throws(ArenaError) { cell = try ExchangeCell(in: arena) }

  /// The end that makes values and collects what they replaced.
  ///
  /// - Precondition: taken once.
  public mutating func takePublisher() -> Publisher {
    precondition(!hasGivenPublisher, "ExchangeSlot: the publisher is taken once")
    hasGivenPublisher = true
    return Publisher(cell)
  }

  /// The end that takes values over.
  ///
  /// - Precondition: taken once.
  public mutating func takeConsumer() -> Consumer {
    precondition(!hasGivenConsumer, "ExchangeSlot: the consumer is taken once")
    hasGivenConsumer = true
    return Consumer(cell)
  }
}

extension ExchangeSlot.Publisher: @unchecked Sendable where Value: Sendable & ~Copyable {}
extension ExchangeSlot.Consumer: @unchecked Sendable where Value: Sendable & ~Copyable {}

extension ExchangeSlot where Value: ~Copyable {
  /// The end that makes values and collects what they replaced, for one thread at a time.
  @safe public struct Publisher: ~Copyable {
    private let cell: ExchangeCell<Value>

    fileprivate init(_ cell: ExchangeCell<Value>) { self.cell = cell }

    /// Whether `publish` would take a value; once it is so, it stays so until the next `publish`.
    public var isFree: Bool {
      // Relaxed: only this thread makes the state empty and ends that.
      unsafe cell.state.pointee.load(ordering: .relaxed) == ExchangeCell<Value>.empty
    }

    /// Hands `value` over; false, and the value is ended, while the one before it waits, is with the consumer, or was given
    /// back and not collected. `isFree` tells beforehand.
    ///
    /// - Complexity: moves the value, no allocation, wait-free.
    public mutating func publish(_ value: consuming Value) -> Bool {
      guard isFree else { return false }
      // The place is this thread's while the state is empty, and holds no value.
      unsafe cell.place.initialize(to: value)
      // Release, paired with the acquire in `take`: the value is there before it is seen.
      unsafe cell.state.pointee.store(ExchangeCell<Value>.offered, ordering: .releasing)
      return true
    }

    /// What the consumer gave back, to be kept or ended here; nil while it gave nothing.
    ///
    /// - Complexity: moves the value, no allocation, wait-free.
    public mutating func collect() -> Value? {
      // Acquire, paired with the release in `giveBack`: the value is there.
      guard unsafe cell.state.pointee.load(ordering: .acquiring) == ExchangeCell<Value>.returned else { return nil }
      // The place is this thread's since the state is returned, and holds a value.
      let value = unsafe cell.place.move()
      // Relaxed: the consumer does nothing on either state; `publish` releases what comes next.
      unsafe cell.state.pointee.store(ExchangeCell<Value>.empty, ordering: .relaxed)
      return value
    }

    /// The planted fault: `publish` that tells before it has written. Only for the test that must catch it.
    @_spi(Testing) public mutating func publishTooEarly(_ value: consuming Value) -> Bool {
      guard isFree else { return false }
      unsafe cell.state.pointee.store(ExchangeCell<Value>.offered, ordering: .releasing)
      unsafe cell.place.initialize(to: value)
      return true
    }
  }

  /// The end that takes values over, for one thread at a time.
  @safe @frozen public struct Consumer: ~Copyable {
    @usableFromInline let state: UnsafeMutablePointer<Atomic<UInt64>>
    @usableFromInline let place: UnsafeMutablePointer<Value>
    // Keeps the memory alive; not touched after `init`, so the hot path neither retains nor releases it.
    @usableFromInline let owner: ExchangeCell<Value>

    fileprivate init(_ cell: ExchangeCell<Value>) {
      unsafe state = cell.state
      unsafe place = cell.place
      owner = cell
    }

    /// Whether a value waits to be taken.
    ///
    /// - Complexity: one acquiring load.
    @inlinable @inline(__always) public var isWaiting: Bool {
      // Acquire, paired with the release in `publish`.
      unsafe state.pointee.load(ordering: .acquiring) == ExchangeCell<Value>.offered
    }

    /// The value that waits, or nil. Until `giveBack` the publisher cannot hand over another one.
    ///
    /// - Complexity: one acquiring load when there is none, else moves the value; no allocation, wait-free.
    @inlinable public mutating func take() -> Value? {
      guard isWaiting else { return nil }
      // Relaxed: the publisher does nothing on either state; `giveBack` releases what comes next.
      unsafe state.pointee.store(ExchangeCell<Value>.taken, ordering: .relaxed)
      // The place is this thread's since the state was offered, and held a value.
      return unsafe place.move()
    }

    /// Returns what the taken value replaced to the publisher, who ends it.
    ///
    /// - Precondition: a value was taken and nothing was given back for it.
    /// - Complexity: moves the value, no allocation, wait-free.
    @inlinable public mutating func giveBack(_ value: consuming Value) {
      // Relaxed: only this thread makes the state taken and ends that.
      precondition(
        unsafe state.pointee.load(ordering: .relaxed) == ExchangeCell<Value>.taken,
        "ExchangeSlot: one value is given back for each that was taken")
      // The place is this thread's while the state is taken, and holds no value.
      unsafe place.initialize(to: value)
      // Release, paired with the acquire in `collect`: the value is there before it is seen.
      unsafe state.pointee.store(ExchangeCell<Value>.returned, ordering: .releasing)
    }

    /// Puts the value that waits into `value`, and gives the former one back; false, and nothing changes, when none waits.
    ///
    /// - Complexity: one acquiring load when none waits, else moves both values; no allocation, wait-free.
    @inlinable public mutating func exchange(_ value: inout Value) -> Bool {
      guard isWaiting else { return false }
      // Read first: where a part of `self` is changed through, the thread sanitizer takes the state for changed too.
      let place = unsafe place
      // The place is this thread's since the state was offered, and holds a value before and after.
      unsafe swap(&place.pointee, &value)
      // Release, paired with the acquire in `collect`: the former value is there before it is seen.
      unsafe state.pointee.store(ExchangeCell<Value>.returned, ordering: .releasing)
      return true
    }
  }
}

/// The memory of an `ExchangeSlot`: a state and a place for a value, each on lines of its own.
@safe @usableFromInline final class ExchangeCell<Value: ~Copyable> {
  // The publisher's: the place is empty.
  @usableFromInline static var empty: UInt64 { @inlinable get { 0 } }
  // The consumer's: the place holds a value it has not taken.
  @usableFromInline static var offered: UInt64 { @inlinable get { 1 } }
  // The consumer's: the place is empty.
  @usableFromInline static var taken: UInt64 { @inlinable get { 2 } }
  // The publisher's: the place holds what the consumer gave back.
  @usableFromInline static var returned: UInt64 { @inlinable get { 3 } }

  let state: UnsafeMutablePointer<Atomic<UInt64>>
  let place: UnsafeMutablePointer<Value>
  private let arena: Arena

  init(in arena: Arena) throws(ArenaError) {
    let line = unsafe try arena.reserve(byteCount: 128, alignment: 128)
    let memory = unsafe try arena.reserve(
      byteCount: max(1, MemoryLayout<Value>.stride), alignment: max(128, MemoryLayout<Value>.alignment))
    unsafe state = line.bindMemory(to: Atomic<UInt64>.self, capacity: 1)
    unsafe state.initialize(to: Atomic(Self.empty))
    unsafe place = memory.bindMemory(to: Value.self, capacity: 1)
    self.arena = arena
  }

  deinit {
    // Acquire: both ends are gone, and what the other one wrote last is there.
    let last = unsafe state.pointee.load(ordering: .acquiring)
    // The place holds a value in these two states.
    if last == Self.offered || last == Self.returned { unsafe place.deinitialize(count: 1) }
  }
}
