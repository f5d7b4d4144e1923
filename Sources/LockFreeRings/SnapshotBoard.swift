public import Synchronization

/// Many values that one thread replaces whole and others read whole: the depth of every book, the state of every instrument.
///
/// As a `SnapshotCell` for each place, in one piece of memory: the writer is never stopped, a reader copies again only if three more
/// versions of that place came out during its copy.
///
///     place n, from byte n × stride: version, 128 bytes further four slots of whole 128-byte lines
@safe public struct SnapshotBoard<Value: BitwiseCopyable>: ~Copyable {
  /// Places.
  public let count: Int
  @usableFromInline let places: SnapshotPlaces
  @usableFromInline let staging: UnsafeMutableRawPointer
  private let arena: Arena

  /// A board of `count` places that all hold `value`.
  ///
  /// The board is the writer; `reader()` gives as many readers as needed, before the threads start.
  ///
  /// - Precondition: `count >= 0`.
  /// - Throws: `ArenaError` when the arena is full.
  /// - Complexity: O(count × size of `Value`); takes memory from the arena, allocates nothing else.
  public init(repeating value: Value, count: Int, in arena: Arena) throws(ArenaError) {
    precondition(count >= 0, "SnapshotBoard: the count is not negative")
    let places = try SnapshotPlaces(byteCount: MemoryLayout<Value>.size, count: count, in: arena)
    let staging = unsafe try arena.reserve(
      byteCount: max(8, places.wordCount * 8), alignment: max(128, MemoryLayout<Value>.alignment))
    self.count = count
    self.places = places
    unsafe self.staging = staging
    self.arena = arena
    unsafe staging.storeBytes(of: value, as: Value.self)
    for place in 0..<count { unsafe places[place].write(from: staging, version: 0) }
  }

  /// A reader of every place.
  ///
  /// - Throws: `ArenaError` when the arena is full.
  public func reader() throws(ArenaError) -> SnapshotBoardReader<Value> {
    let memory = unsafe try arena.reserve(
      byteCount: max(8, places.wordCount * 8), alignment: max(128, MemoryLayout<Value>.alignment))
    return unsafe SnapshotBoardReader(places: places, count: count, copy: memory, owner: arena)
  }

  /// Replaces the value at `place`; each reader sees it whole with its next look.
  ///
  /// - Precondition: `0 <= place < count`.
  /// - Complexity: O(size of `Value`), no allocation, wait-free.
  public mutating func publish(_ value: Value, at place: Int) {
    precondition(place >= 0 && place < count, "SnapshotBoard: the place is on the board")
    // Staged: the words are read from memory that is whole words long.
    unsafe staging.storeBytes(of: value, as: Value.self)
    let words = places[place]
    // Relaxed: only this thread writes it. Wrapping: a version a nanosecond for centuries.
    let version = unsafe words.version.pointee.load(ordering: .relaxed) &+ 1
    unsafe words.write(from: staging, version: version)
  }
}

extension SnapshotBoard: @unchecked Sendable where Value: Sendable {}
extension SnapshotBoardReader: @unchecked Sendable where Value: Sendable {}

/// A reader of a `SnapshotBoard`, for one thread at a time.
@safe @frozen public struct SnapshotBoardReader<Value: BitwiseCopyable>: ~Copyable {
  /// Places.
  public let count: Int
  @usableFromInline let places: SnapshotPlaces
  @usableFromInline let copy: UnsafeMutableRawPointer
  // Keeps the memory alive; not touched after `init`, so the hot path neither retains nor releases it.
  @usableFromInline let owner: Arena

  @unsafe init(places: SnapshotPlaces, count: Int, copy: UnsafeMutableRawPointer, owner: Arena) {
    self.places = places
    self.count = count
    unsafe self.copy = copy
    self.owner = owner
  }

  /// How often the value at `place` has been replaced: whoever knows an older version knows that there is news.
  ///
  /// - Precondition: `0 <= place < count`.
  @inlinable public func version(at place: Int) -> UInt64 {
    precondition(place >= 0 && place < count, "SnapshotBoard: the place is on the board")
    // Acquire, paired with the release in `write`.
    return unsafe places[place].version.pointee.load(ordering: .acquiring)
  }

  /// The newest value at `place`, whole, and its version.
  ///
  /// - Precondition: `0 <= place < count`.
  /// - Complexity: O(size of `Value`), no allocation.
  public mutating func read(at place: Int) -> (value: Value, version: UInt64) {
    precondition(place >= 0 && place < count, "SnapshotBoard: the place is on the board")
    let version = unsafe places[place].read(into: copy)
    // The copy holds a whole value, aligned for it.
    return (unsafe copy.load(as: Value.self), version)
  }
}

/// The shared words of a board: not generic, so they compile once.
@safe @frozen @usableFromInline struct SnapshotPlaces {
  @usableFromInline let base: UnsafeMutableRawPointer
  @usableFromInline let strideBytes: Int
  @usableFromInline let wordCount: Int

  init(byteCount: Int, count: Int, in arena: Arena) throws(ArenaError) {
    wordCount = (byteCount + 7) / 8
    strideBytes = SnapshotWords.byteCount(wordCount: wordCount)
    let (bytes, overflow) = strideBytes.multipliedReportingOverflow(by: count)
    precondition(!overflow, "SnapshotBoard: the size in bytes fits an Int")
    unsafe base = try arena.reserve(byteCount: max(128, bytes), alignment: 128)
    for place in 0..<count {
      _ = unsafe SnapshotWords(initializing: base + place * strideBytes, wordCount: wordCount)
    }
  }

  @inlinable subscript(place: Int) -> SnapshotWords {
    // In bounds: who asks has compared the place with the count.
    unsafe SnapshotWords(at: base + place * strideBytes, wordCount: wordCount)
  }
}
