public import CPlatform

/// A fixed number of plain values in arena memory: the preallocated array of books, ledgers and stages.
///
/// Every access is checked against `count`; `masked` needs no check because the mask keeps it in range.
@safe @frozen public struct Slab<Element: BitwiseCopyable>: ~Copyable {
  @usableFromInline let base: UnsafeMutablePointer<Element>
  /// Number of elements.
  public let count: Int
  @usableFromInline let mask: Int
  // Keeps the memory alive; not touched after `init`, so the hot path neither retains nor releases it.
  @usableFromInline let owner: Arena

  /// `count` copies of `value`.
  ///
  /// - Precondition: the arena has room; plan its capacity from the configuration.
  /// - Complexity: O(count); takes memory from the arena, allocates nothing else.
  public init(repeating value: Element, count: Int, in arena: Arena) {
    precondition(count >= 0, "Slab: the count is not negative")
    let (byteCount, overflow) = MemoryLayout<Element>.stride.multipliedReportingOverflow(by: count)
    precondition(!overflow, "Slab: the size in bytes fits an Int")
    guard let memory = unsafe arena.take(byteCount: byteCount) else {
      fatalError("Arena: room for \(byteCount) bytes more, \(arena.freeBytes) are free of \(arena.capacityBytes)")
    }
    unsafe base = memory.bindMemory(to: Element.self, capacity: count)
    unsafe base.initialize(repeating: value, count: count)
    self.count = count
    mask = count > 0 && count & (count - 1) == 0 ? count - 1 : 0
    owner = arena
  }

  /// The element at `index`.
  ///
  /// - Precondition: `0 <= index < count`.
  @inlinable public subscript(index: Int) -> Element {
    @_transparent unsafeAddress {
      precondition(UInt(bitPattern: index) < UInt(bitPattern: count), "Slab: the index is in range")
      // In bounds: checked above.
      return unsafe UnsafePointer(base + index)
    }
    @_transparent unsafeMutableAddress {
      precondition(UInt(bitPattern: index) < UInt(bitPattern: count), "Slab: the index is in range")
      // In bounds: checked above.
      return unsafe base + index
    }
  }

  /// The element at `index` modulo `count`, for counts that are powers of two (any other count reads element 0).
  @inlinable public subscript(masked index: Int) -> Element {
    @_transparent unsafeAddress {
      // In bounds: the mask is below the count.
      unsafe UnsafePointer(base + (index & mask))
    }
    @_transparent unsafeMutableAddress {
      // In bounds: the mask is below the count.
      unsafe base + (index & mask)
    }
  }

  /// Asks the memory for the line where the element at `index` is, to be written soon.
  ///
  /// A hint: an index outside the slab asks for some other line, or none, and does no harm.
  /// - Complexity: two instructions; does not wait.
  @inlinable @inline(__always) public func prefetch(_ index: Int) {
    // Not an access: the address is computed as a number, wrapping, and no address makes the hint fault.
    unsafe martlet_prefetch_at(base, index &* MemoryLayout<Element>.stride)
  }

  /// Asks the memory for the line of the element at `index` modulo `count`, for counts that are powers of two.
  @inlinable @inline(__always) public func prefetch(masked index: Int) { prefetch(index & mask) }

  /// Parts of equal type that the elements are made of, `count` of them from `first`, to edit: the elements' memory read as
  /// consecutive `Part`s.
  ///
  /// For elements of which equal rows are edited alike; the type of the elements says where a row begins.
  ///
  /// - Precondition: parts fill an element without a rest, there are fields of that type there, and the range is in the slab.
  @_lifetime(&self)
  @inlinable @inline(__always) public mutating func parts<Part: BitwiseCopyable>(
    _ type: Part.Type, from first: Int, count partCount: Int
  ) -> MutableSpan<Part> {
    let ratio = MemoryLayout<Element>.stride / MemoryLayout<Part>.stride
    precondition(
      ratio * MemoryLayout<Part>.stride == MemoryLayout<Element>.stride
        && MemoryLayout<Part>.alignment <= MemoryLayout<Element>.alignment, "Slab: parts fill an element")
    precondition(
      first >= 0 && partCount >= 0 && first <= count &* ratio &- partCount, "Slab: the parts are in the slab")
    // In bounds: checked above; the memory holds plain values and is aligned for both types.
    let start = unsafe UnsafeMutableRawPointer(base).assumingMemoryBound(to: Part.self) + first
    let span = unsafe MutableSpan(_unsafeStart: start, count: partCount)
    return unsafe _overrideLifetime(span, mutating: &self)
  }

  /// The elements, to read.
  @inlinable public var span: Span<Element> {
    @_lifetime(borrow self) get {
      let span = unsafe Span(_unsafeStart: base, count: count)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }
}

// One owner of its own part of the arena: it may move to another thread.
extension Slab: @unchecked Sendable where Element: Sendable {}
