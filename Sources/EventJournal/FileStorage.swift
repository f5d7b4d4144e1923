internal import CUring
internal import Glibc
internal import LockFreeRings

/// Segments as files of one directory, written by io_uring where the kernel allows it, else by pwrite and fdatasync.
///
/// The directory is opened once, as a descriptor; files are made with mode 0600 and never through a symbolic link.
@safe public final class FileStorage: JournalStorage, @unchecked Sendable {
  /// Which way to write.
  public enum Way: Hashable, Sendable {
    /// io_uring if it can be had, else pwrite.
    case best
    /// io_uring or an error.
    case uring
    /// pwrite and fdatasync.
    case pwrite
  }

  /// One line for the report: which way was had, and why not a better one.
  public let backend: String

  // One thread uses these: see the protocol.
  private let directory: Int32
  private let lock: Int32
  private var segment: Int32 = -1
  private var ring: OpaquePointer?

  /// The journal directory at `path`, made if it is not there, and locked.
  ///
  /// - Throws: `JournalError.isLocked` when it is open elsewhere, `.storage` for anything the system refuses.
  public init(directory path: String, way: Way = .best) throws(JournalError) {
    if unsafe mkdir(path, 0o700) != 0, errno != EEXIST { throw .storage(operation: "mkdir", errorNumber: errno) }
    let opened = unsafe open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard opened >= 0 else { throw .storage(operation: "open directory", errorNumber: errno) }
    let locked = unsafe openat(opened, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard locked >= 0 else {
      let refusal = errno
      _ = Glibc.close(opened)
      throw .storage(operation: "open lock", errorNumber: refusal)
    }
    // Held by the open file description, so it ends with the last descriptor, not with the first close in the process.
    guard flock(locked, LOCK_EX | LOCK_NB) == 0 else {
      let refusal = errno
      _ = Glibc.close(locked)
      _ = Glibc.close(opened)
      throw refusal == EWOULDBLOCK ? .isLocked : .storage(operation: "flock", errorNumber: refusal)
    }
    var made: OpaquePointer?
    var reason: Int32 = 0
    if way != .pwrite { unsafe made = martlet_uring_open(&reason) }
    let hasRing = unsafe made != nil
    if way == .uring, !hasRing {
      _ = Glibc.close(locked)
      _ = Glibc.close(opened)
      throw .storage(operation: "io_uring_setup", errorNumber: reason)
    }
    if hasRing {
      backend = "io_uring, write with linked fdatasync"
    } else if way == .pwrite {
      backend = "pwrite and fdatasync, as configured"
    } else {
      backend = "pwrite and fdatasync, no io_uring: \(unsafe String(cString: strerror(reason)))"
    }
    directory = opened
    lock = locked
    unsafe ring = made
  }

  deinit { close() }

  /// All segments there are, by rising number.
  public func images() throws(JournalError) -> [SegmentImage] { try SegmentFiles.readAll(in: directory) }

  /// Makes a segment; takes as long as writing its zeros and syncing them.
  public func begin(segment number: UInt64, byteCount: Int, header: RawSpan) throws(JournalError) {
    if segment >= 0 { _ = Glibc.close(segment) }
    // Under another name until it is whole: a crash here leaves no segment that is half one.
    let name = SegmentFiles.name(of: number)
    segment = unsafe openat(directory, name + ".new", O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard segment >= 0 else { throw .storage(operation: "open segment", errorNumber: errno) }
    let zeros = [UInt64](repeating: 0, count: min(byteCount, 1 << 20) / 8)
    var offset = 0
    while offset < byteCount {
      // Words have no padding: all their bytes are there.
      unsafe try write(zeros.span.bytes.extracting(first: byteCount - offset), at: offset)
      offset += min(zeros.count * 8, byteCount - offset)
    }
    try write(header, at: 0)
    guard fsync(segment) == 0 else { throw .storage(operation: "fsync segment", errorNumber: errno) }
    guard unsafe renameat(directory, name + ".new", directory, name) == 0 else {
      throw .storage(operation: "rename segment", errorNumber: errno)
    }
    guard fsync(directory) == 0 else { throw .storage(operation: "fsync directory", errorNumber: errno) }
  }

  private func write(_ bytes: RawSpan, at offset: Int) throws(JournalError) {
    var done = 0
    while done < bytes.byteCount {
      let (written, refusal) = pwriteOnce(bytes.extracting(droppingFirst: done), at: offset + done)
      if written < 0, refusal == EINTR { continue }
      guard written > 0 else { throw .storage(operation: "write segment", errorNumber: written < 0 ? refusal : EIO) }
      done += written
    }
  }

  private func pwriteOnce(_ bytes: RawSpan, at offset: Int) -> (Int, Int32) {
    unsafe bytes.withUnsafeBytes { buffer in
      // In bounds: the buffer is the span.
      let written = unsafe pwrite(segment, buffer.baseAddress, buffer.count, offset)
      return (written, written < 0 ? errno : 0)
    }
  }

  /// One write, and the sync linked behind it.
  public func commit(_ bytes: RawSpan, at offset: Int) -> StorageCompletion {
    guard unsafe ring == nil else {
      let result = unsafe bytes.withUnsafeBytes { buffer in
        // The buffer outlives the call: it returns when both operations are complete. Batches are below 4 GiB.
        unsafe martlet_uring_commit(
          ring!, segment, buffer.baseAddress!, UInt32(buffer.count), UInt64(offset))
      }
      return StorageCompletion(
        writtenBytes: max(0, Int(result.written)), writeError: Int32(truncatingIfNeeded: max(0, -result.written)),
        syncError: Int32(truncatingIfNeeded: max(0, -result.synced)),
        isSynced: result.written == Int64(bytes.byteCount) && result.synced == 0)
    }
    let (written, refusal) = pwriteOnce(bytes, at: offset)
    guard written == bytes.byteCount else {
      return StorageCompletion(writtenBytes: max(0, written), writeError: refusal, isSynced: false)
    }
    let isSynced = fdatasync(segment) == 0
    return StorageCompletion(writtenBytes: written, syncError: isSynced ? 0 : errno, isSynced: isSynced)
  }

  /// Closes the files and gives the lock back. Further calls do nothing.
  public func close() {
    if let open = unsafe ring { unsafe martlet_uring_close(open) }
    unsafe ring = nil
    if segment >= 0 { _ = Glibc.close(segment) }
    segment = -1
    if !isClosed {
      _ = Glibc.close(lock)
      _ = Glibc.close(directory)
    }
    isClosed = true
  }

  private var isClosed = false
}

/// The segment files of a journal directory, to read.
enum SegmentFiles {
  /// Ten digits, so that names sort as numbers do.
  static func name(of number: UInt64) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, 10 - digits.count)) + digits
  }

  static func readAll(in path: String) throws(JournalError) -> [SegmentImage] {
    let directory = unsafe open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard directory >= 0 else { throw .storage(operation: "open directory", errorNumber: errno) }
    defer { _ = Glibc.close(directory) }
    return try readAll(in: directory)
  }

  static func readAll(in directory: Int32) throws(JournalError) -> [SegmentImage] {
    var images: [SegmentImage] = []
    for number in try numbers(in: directory).sorted() {
      let file = unsafe openat(directory, name(of: number), O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
      guard file >= 0 else { throw .storage(operation: "open segment", errorNumber: errno) }
      defer { _ = Glibc.close(file) }
      images.append(try read(file, number: number))
    }
    return images
  }

  private static func numbers(in directory: Int32) throws(JournalError) -> [UInt64] {
    // A descriptor of its own: closing the stream closes it.
    let copy = unsafe openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard copy >= 0 else { throw .storage(operation: "open directory", errorNumber: errno) }
    guard let stream = unsafe fdopendir(copy) else {
      _ = Glibc.close(copy)
      throw .storage(operation: "list directory", errorNumber: errno)
    }
    defer { unsafe closedir(stream) }
    var numbers: [UInt64] = []
    errno = 0
    while let entry = unsafe readdir(stream) {
      let text = unsafe withUnsafePointer(to: &entry.pointee.d_name) { name in
        // The name ends with a zero inside its 256 bytes.
        unsafe name.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      if text.utf8.count >= 10, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = UInt64(text),
        name(of: number) == text
      {
        numbers.append(number)
      }
      errno = 0
    }
    guard errno == 0 else { throw .storage(operation: "list directory", errorNumber: errno) }
    return numbers
  }

  private static func read(_ file: Int32, number: UInt64) throws(JournalError) -> SegmentImage {
    let size = Int(lseek(file, 0, SEEK_END))
    guard size >= 0, size <= 1 << 40 else { throw .storage(operation: "size of segment", errorNumber: errno) }
    var image = SegmentImage(number: number, words: [UInt64](repeating: 0, count: (size + 7) / 8))
    var done = 0
    while done < size {
      let (count, refusal) = unsafe image.words.withUnsafeMutableBytes { buffer in
        // In bounds: `done` is below the size, which the words hold.
        let count = unsafe pread(file, buffer.baseAddress! + done, size - done, done)
        return (count, count < 0 ? errno : 0)
      }
      if count < 0, refusal == EINTR { continue }
      guard count >= 0 else { throw .storage(operation: "read segment", errorNumber: refusal) }
      if count == 0 { break }
      done += count
    }
    image.byteCount = done
    return image
  }
}
