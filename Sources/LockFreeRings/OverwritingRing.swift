public import Synchronization

/// What the reading end of an `OverwritingRing` finds.
@frozen public enum OverwritingRead<Element: BitwiseCopyable>: BitwiseCopyable {
  /// Nothing new.
  case empty
  /// This many elements in a row were overwritten before they were read; what follows is newer.
  case gap(UInt64)
  /// The next element, whole.
  case element(Element)
}

extension OverwritingRead: Sendable where Element: Sendable {}

/// A queue from one thread to one other whose producer never waits: a full ring drops its oldest elements, and the reader is told
/// how many.
///
///     published position: elements 0 ..< published are written
///     slots:              2 x capacity, each whole 64-bit words; element p is in slot p mod (2 x capacity)
///
/// A reader more than `capacity` behind skips to the oldest of the newest `capacity` elements. The other half of the slots is its
/// head start: what it copies now is overwritten only after `capacity` more elements.
///
/// No read is torn. Writing element w begins after the store of `published` = w. Each word is stored with release and loaded with
/// acquire, so a reader of element r that loads a word of a later element w >= r + slots also sees `published` >= r + slots in
/// its second look, and drops the copy. If that look finds less, each word was of element r: its writing happened before the
/// first look, which acquired a `published` > r.
///
/// - Source: a sequence lock over atomic words (Boehm 2012, "Can seqlocks get along with programming language memory models?").
@safe public struct OverwritingRing<Element: BitwiseCopyable>: ~Copyable {
  /// The newest elements that are always kept.
  public let capacity: Int
  private let published: UnsafeMutablePointer<Atomic<UInt64>>
  private let words: UnsafeMutablePointer<Atomic<UInt64>>
  private let position: UInt64
  private let arena: Arena
  private var hasGivenProducer = false
  private var hasGivenConsumer = false

  /// A ring that keeps the newest `capacity` elements, in `arena`.
  ///
  /// - Parameter capacity: a power of two up to `ringCapacityMax`.
  /// - Throws: `RingError` for a wrong capacity or a full arena.
  public init(capacity: Int, in arena: Arena) throws(RingError) {
    try self.init(capacity: capacity, startingAt: 0, in: arena)
  }

  /// The same with the counters at `position`, for tests of their wrap.
  @_spi(Testing) public init(capacity: Int, startingAt position: UInt64, in arena: Arena) throws(RingError) {
    // Two slots for each element kept; one element's size is far from the top of `Int`.
    let bytes = try validatedRingBytes(capacity: capacity, stride: Self.wordsPerSlot * 16)
    let line = unsafe try ringMemory(byteCount: 128, alignment: 128, in: arena)
    let memory = unsafe try ringMemory(byteCount: bytes, alignment: 128, in: arena)
    let published = unsafe line.bindMemory(to: Atomic<UInt64>.self, capacity: 1)
    unsafe published.initialize(to: Atomic(position))
    let words = unsafe memory.bindMemory(to: Atomic<UInt64>.self, capacity: bytes / 8)
    for place in 0..<(bytes / 8) { unsafe (words + place).initialize(to: Atomic(0)) }
    self.capacity = capacity
    unsafe self.published = published
    unsafe self.words = words
    self.position = position
    self.arena = arena
  }

  @inlinable static var wordsPerSlot: Int { max(1, (MemoryLayout<Element>.size + 7) / 8) }

  /// Memory for one element in whole words.
  private func staging() throws(RingError) -> UnsafeMutableRawPointer {
    unsafe try ringMemory(
      byteCount: Self.wordsPerSlot * 8, alignment: max(128, MemoryLayout<Element>.alignment), in: arena)
  }

  /// The writing end.
  ///
  /// - Throws: `RingError` when the arena has no room for one element more.
  /// - Precondition: taken once.
  public mutating func takeProducer() throws(RingError) -> Producer {
    precondition(!hasGivenProducer, "OverwritingRing: the producer is taken once")
    let memory = unsafe try staging()
    hasGivenProducer = true
    return unsafe Producer(
      published: published, words: words, staging: memory, capacity: UInt64(capacity), position: position,
      owner: arena)
  }

  /// The reading end.
  ///
  /// - Throws: `RingError` when the arena has no room for one element more.
  /// - Precondition: taken once.
  public mutating func takeConsumer() throws(RingError) -> Consumer {
    precondition(!hasGivenConsumer, "OverwritingRing: the consumer is taken once")
    let memory = unsafe try staging()
    hasGivenConsumer = true
    return unsafe Consumer(
      published: published, words: words, staging: memory, capacity: UInt64(capacity), position: position,
      owner: arena)
  }
}

extension OverwritingRing.Producer: @unchecked Sendable where Element: Sendable {}
extension OverwritingRing.Consumer: @unchecked Sendable where Element: Sendable {}

extension OverwritingRing {
  /// The writing end of an `OverwritingRing`, for one thread at a time.
  @safe @frozen public struct Producer: ~Copyable {
    @usableFromInline let published: UnsafeMutablePointer<Atomic<UInt64>>
    @usableFromInline let words: UnsafeMutablePointer<Atomic<UInt64>>
    @usableFromInline let staging: UnsafeMutableRawPointer
    @usableFromInline let mask: UInt64
    @usableFromInline var position: UInt64
    // Keeps the memory alive; not touched after `init`, so the hot path neither retains nor releases it.
    @usableFromInline let owner: Arena

    @unsafe init(
      published: UnsafeMutablePointer<Atomic<UInt64>>, words: UnsafeMutablePointer<Atomic<UInt64>>,
      staging: UnsafeMutableRawPointer, capacity: UInt64, position: UInt64, owner: Arena
    ) {
      unsafe self.published = published
      unsafe self.words = words
      unsafe self.staging = staging
      mask = capacity * 2 - 1
      self.position = position
      self.owner = owner
    }

    /// Appends `element`, over the oldest one when the ring is full.
    ///
    /// - Complexity: O(size of `Element`), no allocation, wait-free.
    @inlinable public mutating func push(_ element: Element) {
      // Staged: the words are read from memory that is whole words long.
      unsafe staging.storeBytes(of: element, as: Element.self)
      // In bounds: the mask keeps the slot below their number.
      let target = unsafe words + Int(truncatingIfNeeded: position & mask) &* OverwritingRing.wordsPerSlot
      for place in 0..<OverwritingRing.wordsPerSlot {
        // Release: whoever loads this word also sees `published` at this position, see the type.
        unsafe target[place].store(staging.load(fromByteOffset: place &* 8, as: UInt64.self), ordering: .releasing)
      }
      // Wrapping: a free-running counter.
      position &+= 1
      // Release, paired with the acquire in `read`: the words are written before the position is seen.
      unsafe published.pointee.store(position, ordering: .releasing)
    }
  }

  /// The reading end of an `OverwritingRing`, for one thread at a time.
  @safe @frozen public struct Consumer: ~Copyable {
    @usableFromInline let published: UnsafeMutablePointer<Atomic<UInt64>>
    @usableFromInline let words: UnsafeMutablePointer<Atomic<UInt64>>
    @usableFromInline let staging: UnsafeMutableRawPointer
    @usableFromInline let capacity: UInt64
    @usableFromInline var position: UInt64
    /// Elements lost so far: the sum of the gaps.
    public private(set) var lostCount: UInt64 = 0
    // Keeps the memory alive; not touched after `init`, so the hot path neither retains nor releases it.
    @usableFromInline let owner: Arena

    @unsafe init(
      published: UnsafeMutablePointer<Atomic<UInt64>>, words: UnsafeMutablePointer<Atomic<UInt64>>,
      staging: UnsafeMutableRawPointer, capacity: UInt64, position: UInt64, owner: Arena
    ) {
      unsafe self.published = published
      unsafe self.words = words
      unsafe self.staging = staging
      self.capacity = capacity
      self.position = position
      self.owner = owner
    }

    /// The next element, the number of those lost before it, or nothing.
    ///
    /// Two gaps may follow each other when the producer runs on; their sum is what was lost.
    ///
    /// - Complexity: O(size of `Element`), no allocation, wait-free.
    @inlinable public mutating func read() -> OverwritingRead<Element> {
      // Acquire, paired with the release in `push`: the elements below are written.
      let found = unsafe published.pointee.load(ordering: .acquiring)
      if found == position { return .empty }
      // Wrapping: free-running counters, their differences stay right.
      if found &- position > capacity { return skip(to: found &- capacity) }
      // In bounds: the mask keeps the slot below their number, twice the capacity.
      let slot = Int(truncatingIfNeeded: position & (capacity &* 2 &- 1))
      let source = unsafe words + slot &* OverwritingRing.wordsPerSlot
      for place in 0..<OverwritingRing.wordsPerSlot {
        // Acquire, paired with the release of the word; it also keeps the second look below after it.
        unsafe staging.storeBytes(
          of: source[place].load(ordering: .acquiring), toByteOffset: place &* 8, as: UInt64.self)
      }
      let latest = unsafe published.pointee.load(ordering: .acquiring)
      // The slot's next writing begins at `position` + slots: see the type.
      if latest &- position >= capacity &* 2 { return skip(to: latest &- capacity) }
      position &+= 1
      return unsafe .element(staging.load(as: Element.self))
    }

    @inline(never) @usableFromInline mutating func skip(to oldest: UInt64) -> OverwritingRead<Element> {
      // Wrapping: free-running counters; the sum of the gaps is below the published position.
      let count = oldest &- position
      position = oldest
      lostCount &+= count
      return .gap(count)
    }
  }
}
