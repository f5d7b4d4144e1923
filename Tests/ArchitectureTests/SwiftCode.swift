/// Swift source with comments and string contents blanked out, line by line as it was, so that a word found is code.
struct SwiftCode {
  let lines: [Substring]

  init(_ source: String) {
    lines = Self.blanked(source).split(separator: "\n", omittingEmptySubsequences: false)
  }

  /// Every identifier or keyword with its line, from 1.
  var words: [(word: Substring, line: Int)] {
    var words: [(Substring, Int)] = []
    for (index, line) in lines.enumerated() {
      for word in line.split(whereSeparator: { !($0.isLetter || $0.isNumber || $0 == "_") }) {
        words.append((word, index + 1))
      }
    }
    return words
  }

  /// The modules that are imported, with their lines: `public import struct Foundation.URL` imports `Foundation`.
  var imports: [(module: String, line: Int)] {
    let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias", "actor"]
    var imports: [(String, Int)] = []
    for (index, line) in lines.enumerated() {
      for statement in line.split(separator: ";") {
        var words = statement.split(whereSeparator: { $0 == " " || $0 == "\t" })
        while let first = words.first, first != "import" {
          let isPrefix =
            first.hasPrefix("@") || ["public", "internal", "package", "private", "fileprivate"].contains(first)
          guard isPrefix else { break }
          words.removeFirst()
        }
        guard words.first == "import", words.count > 1 else { continue }
        let name = kinds.contains(words[1]) && words.count > 2 ? words[2] : words[1]
        imports.append((String(name.prefix { $0 != "." }), index + 1))
      }
    }
    return imports
  }

  // A stack of what we are in; an interpolation is code inside a string.
  private enum Place {
    case code(openParentheses: Int)
    case string(hashes: Int, quotes: Int)
  }

  private static func blanked(_ source: String) -> String {
    let bytes = Array(source.utf8)
    var result = bytes
    var places = [Place.code(openParentheses: 0)]
    var at = 0
    let (quote, hash, slash, star, newline) = (UInt8(34), UInt8(35), UInt8(47), UInt8(42), UInt8(10))

    func byte(_ index: Int) -> UInt8 { index < bytes.count ? bytes[index] : 0 }
    func run(of value: UInt8, from index: Int) -> Int {
      var end = index
      while byte(end) == value { end += 1 }
      return end - index
    }
    func blank(_ count: Int) {
      for index in at..<min(at + count, bytes.count) where bytes[index] != newline { result[index] = 32 }
      at = min(at + count, bytes.count)
    }

    while at < bytes.count {
      switch places[places.count - 1] {
      case .code(let open):
        if byte(at) == slash, byte(at + 1) == slash {
          var end = at
          while end < bytes.count, bytes[end] != newline { end += 1 }
          blank(end - at)
        } else if byte(at) == slash, byte(at + 1) == star {
          var depth = 1
          var end = at + 2
          while end < bytes.count, depth > 0 {
            if byte(end) == star, byte(end + 1) == slash {
              depth -= 1
              end += 1
            } else if byte(end) == slash, byte(end + 1) == star {
              depth += 1
              end += 1
            }
            end += 1
          }
          blank(end - at)
        } else if byte(at) == quote || byte(at) == hash && byte(at + run(of: hash, from: at)) == quote {
          let hashes = run(of: hash, from: at)
          let quotes = run(of: quote, from: at + hashes) >= 3 ? 3 : 1
          places.append(.string(hashes: hashes, quotes: quotes))
          blank(hashes + quotes)
        } else {
          if byte(at) == 40 {
            places[places.count - 1] = .code(openParentheses: open + 1)
          } else if byte(at) == 41 {
            if open == 0, places.count > 1 {
              places.removeLast()
            } else {
              places[places.count - 1] = .code(openParentheses: max(0, open - 1))
            }
          }
          at += 1
        }
      case .string(let hashes, let quotes):
        if byte(at) == 92, run(of: hash, from: at + 1) >= hashes {
          // An escape; `\(` opens code. It takes as many number signs as the string has.
          let opensCode = byte(at + 1 + hashes) == 40
          blank(2 + hashes)
          if opensCode { places.append(.code(openParentheses: 0)) }
        } else if run(of: quote, from: at) >= quotes, run(of: hash, from: at + quotes) >= hashes {
          blank(quotes + hashes)
          places.removeLast()
        } else {
          // A string on one line ends with it, so that one slip here cannot hide the rest of a file.
          if byte(at) == newline, quotes == 1 { places.removeLast() }
          blank(1)
        }
      }
    }
    return String(decoding: result, as: UTF8.self)
  }
}
