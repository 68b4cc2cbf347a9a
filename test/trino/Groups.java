import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What Hive's RegexSerDe makes of lines: the groups of a pattern that matches the whole line, else nothing but nulls
 * (org.apache.hadoop.hive.serde2.RegexSerDe). Groups are told apart by U+001F; null is U+0000.
 */
public class Groups {
  public static void main(String[] arguments) throws Exception {
    Pattern pattern = Pattern.compile(arguments[0], Pattern.DOTALL);
    StringBuilder out = new StringBuilder();
    for (String line : new String(System.in.readAllBytes(), StandardCharsets.UTF_8).split("\n", -1)) {
      Matcher matcher = pattern.matcher(line);
      boolean matches = matcher.matches();
      for (int i = 1; i <= matcher.groupCount(); i++) {
        String group = matches ? matcher.group(i) : null;
        out.append(i == 1 ? "" : "\u001f").append(group == null ? "\0" : group);
      }
      out.append('\n');
    }
    System.out.write(out.toString().getBytes(StandardCharsets.UTF_8));
    System.out.flush();
  }
}
