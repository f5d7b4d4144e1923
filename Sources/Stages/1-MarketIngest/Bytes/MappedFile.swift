public import TradingTypes

internal import Glibc

/// A file read through the page cache: its bytes stay where the system keeps them, and nothing is copied.
///
/// The bytes are those of the file while nobody else changes it. A file that is cut while mapped ends the process at the
/// next access behind its new end; give a feed handler files that are complete.
///
/// - Complexity: O(1) to open; the system reads pages as they are touched.
@safe public struct MappedFile: ~Copyable {
  private let base: UnsafeRawPointer?
  /// Bytes of the file.
  public let byteCount: Int

  /// Maps the file at `path`, read-only. An empty file has no bytes.
  ///
  /// - Throws: `ConfigurationError` that names the file when it is missing, unreadable or not a regular file.
  public init(path: String) throws(ConfigurationError) {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw ConfigurationError("\(path): \(Self.lastError), a readable file expected") }
    defer { close(descriptor) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { throw ConfigurationError("\(path): \(Self.lastError)") }
    guard status.st_mode & S_IFMT == S_IFREG else { throw ConfigurationError("\(path): a regular file expected") }
    let length = Int(status.st_size)
    var mapped: UnsafeMutableRawPointer?
    if length > 0 {
      unsafe mapped = mmap(nil, length, PROT_READ, MAP_PRIVATE, descriptor, 0)
      guard unsafe mapped != MAP_FAILED else {
        throw ConfigurationError("\(path): \(Self.lastError) while mapping \(length) bytes")
      }
      // A hint only: a decoder reads from front to back. A refusal changes nothing.
      _ = unsafe madvise(mapped, length, 2 /* MADV_SEQUENTIAL */)
    }
    byteCount = length
    unsafe base = UnsafeRawPointer(mapped)
  }

  deinit {
    if let base = unsafe base { unsafe munmap(UnsafeMutableRawPointer(mutating: base), byteCount) }
  }

  /// The bytes of the file, while this value lives.
  public var bytes: RawSpan {
    @_lifetime(borrow self) get {
      // In bounds: the mapping has `byteCount` bytes and ends with `self`; `base` is nil only where the count is 0.
      let span = unsafe RawSpan(_unsafeStart: base ?? UnsafeRawPointer(bitPattern: 1)!, byteCount: byteCount)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }

  private static var lastError: String { unsafe String(cString: strerror(errno)) }
}
