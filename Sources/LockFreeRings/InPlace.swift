public import Synchronization

/// Keeps the large value that holds it in one place: calls that borrow the value get its address.
///
/// A value without such a member may live in registers, so a call that borrows a large one (the ledger, the gate: around a kilobyte) is
/// given a copy of it on the stack, made anew for every call. An atomic never leaves its memory, and what contains one does not either.
/// It is never read or written.
@frozen public struct InPlace: ~Copyable, Sendable {
  @usableFromInline let anchor = Atomic<UInt8>(0)

  /// An anchor.
  @inlinable public init() {}
}
