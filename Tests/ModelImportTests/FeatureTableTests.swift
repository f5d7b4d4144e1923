import ModelImport
import Testing
import TradingTypes

// Goal: a table of rows is what its file says, column by column, or is refused in one line. Method: small files, one trait each.
struct FeatureTableTests {
  static func table(_ text: String, _ features: [String] = ["a", "b"]) throws(ImportError) -> FeatureTable {
    try FeatureTable(csv: Array(text.utf8), name: "t", features: features)
  }

  @Test func `columns are found by name, in whatever order, others passed over`() throws {
    #expect(try Self.table("x,b,a\n9,2,1\n9,4,3\n").rows == [[1, 2], [3, 4]])
    #expect(
      try Self.table("\u{FEFF}a,b\r\n1,2\r\n\r\n3,4").rows == [[1, 2], [3, 4]], "a mark, line ends, an empty line")
    let quoted = try Self.table("\"a,b\",\"c \"\"d\"\"\"\n\"1\",2\n", ["c \"d\"", "a,b"])
    #expect(quoted.rows == [[2, 1]])
  }

  @Test func `an empty cell and nan are missing, numbers go through double`() throws {
    let rows = try Self.table("a,b\n,nan\n-0,inf\n1e-60,0.1\n").rows
    #expect(rows[0].allSatisfy { $0.isNaN })
    #expect(rows[1][0].bitPattern == Float(-0.0).bitPattern && rows[1][1] == .infinity)
    #expect(rows[2] == [0, 0.1])
  }

  @Test func `valid_mask takes slots of the catalogue away, and nothing else`() throws {
    let slot = FeatureSlot.allCases[3]
    // Every slot but this one.
    let none = String(repeating: "f", count: 23) + "7"
    let rows = try Self.table("valid_mask,\(slot.name),own\n\(none),5,6\n", [slot.name, "own"]).rows
    #expect(rows[0][0].isNaN && rows[0][1] == 6)
    let all = String(repeating: "f", count: 24)
    #expect(try Self.table("valid_mask,\(slot.name),own\n\(all),5,6\n", [slot.name, "own"]).rows == [[5, 6]])
  }

  @Test(arguments: [
    ("", "t: line 1: expected a header and rows, not an empty file"), ("a,b\n", "t: line 2: expected a row"),
    ("a,a,b\n1,1,2\n", "t: line 1: expected one column a, not 2"),
    ("c\n1\n", "t: line 1: expected columns for all 2 features of the model; 2 missing: a, b"),
    ("a,b\n1\n", "t: line 2: expected 2 cells, not 1"),
    ("a,b\n1,x\n", "t: line 2, b: expected a number in single precision's range, not x"),
    ("a,b\n1,1e39\n", "t: line 2, b: expected a number in single precision's range, not 1e39"),
    ("a,b,valid_mask\n1,2,3\n", "t: line 2, valid_mask: expected 24 hexadecimal digits"),
    ("a,b\n1,\"2\"3\n", "t: line 2: expected a closed quotation mark before the next cell"),
    ("a,b\n1,\"2\n\"\n", "t: line 2: expected a closed quotation mark before the next cell"),
    ("a,b\n1,\"2\r\n\"\n", "t: line 2: expected a closed quotation mark before the next cell"),
  ])
  func `what is no table is refused with its line`(text: String, refusal: String) {
    let error = #expect(throws: ImportError.self) { try Self.table(text) }
    #expect(error?.description == refusal)
  }
}
