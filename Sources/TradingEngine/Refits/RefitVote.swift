/// What desks that change together say of a change at a bar's end, added up: a shard alone cannot know whether the others have it.
@frozen public struct RefitVote: BitwiseCopyable, Hashable, Sendable {
  /// Desks that have a change, in time.
  public var ready: UInt16
  /// Desks that have one of which more returns have closed since than they keep.
  public var late: UInt16

  /// Nobody has a change.
  @inlinable public init() { self.init(ready: 0, late: 0) }

  /// So many desks.
  @inlinable public init(ready: UInt16, late: UInt16) {
    self.ready = ready
    self.late = late
  }

  /// Adds what other desks say.
  @inlinable public mutating func add(_ other: RefitVote) {
    // Wrapping: at most 16 desks.
    ready &+= other.ready
    late &+= other.late
  }
}
